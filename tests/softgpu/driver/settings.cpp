// Settings from the environment, messages, and the counters' file.
//
//   SOFTGPU_STREAMS=lazy|eager|random:SEED   when a stream's work runs; lazy: not before somebody must wait for it
//   SOFTGPU_RACES=stop|warn|off              on accesses that no stream's order and no event puts in order
//   SOFTGPU_THREADS=up|down|random:SEED      the order of a block's threads between two barriers
//   SOFTGPU_MEMORY=BYTES                     of the card (8 GiB)
//   SOFTGPU_CAPABILITY=8.0                   compute capability
//   SOFTGPU_DEVICE=0                         a driver that finds no card
//   SOFTGPU_COUNTS=FILE                      launches, bytes, synchronizations and allocations, as JSON, at the end
//   SOFTGPU_TRACE=1                          every operation, when it is asked for
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "machine.h"

namespace softgpu {

std::recursive_mutex machine;
Counts counts;

void stop(const char* format, ...) {
  va_list values;
  va_start(values, format);
  fprintf(stderr, "softgpu: ");
  vfprintf(stderr, format, values);
  fprintf(stderr, "\n");
  va_end(values);
  abort();
}

static std::string text(const char* name, const char* otherwise) {
  const char* value = getenv(name);
  return value && *value ? value : otherwise;
}

static uint64_t seed_of(const std::string& value) {
  auto colon = value.find(':');
  return colon == std::string::npos ? 0 : strtoull(value.c_str() + colon + 1, nullptr, 10);
}

static void write_counts() {
  FILE* file = fopen(settings().counts.c_str(), "w");
  if (!file) return perror(settings().counts.c_str());
  auto number = [&](const char* name, uint64_t value) { fprintf(file, "  \"%s\": %lu,\n", name, (unsigned long)value); };
  fprintf(file, "{\n");
  number("launches", counts.launches);
  number("products", counts.products);
  number("synchronizations", counts.synchronizations);
  number("allocations", counts.allocations);
  number("bytes_to_device", counts.to_device);
  number("bytes_to_host", counts.to_host);
  number("bytes_on_device", counts.on_device);
  number("bytes_allocated", counts.taken);
  number("peak_bytes", counts.peak);
  fprintf(file, "  \"operations\": {");
  const char* comma = "";
  for (auto& [name, kernel] : counts.operations) {
    fprintf(file, "%s\n    \"%s\": {\"calls\": %lu, \"host_seconds\": %.6f}", comma, name.c_str(),
            (unsigned long)kernel.calls, kernel.seconds);
    comma = ",";
  }
  fprintf(file, "\n  }\n}\n");
  fclose(file);
}

static Settings read_settings() {
  Settings s{};
  auto streams = text("SOFTGPU_STREAMS", "lazy"), races = text("SOFTGPU_RACES", "stop");
  auto threads = text("SOFTGPU_THREADS", "up");
  s.streams = streams == "eager" ? Settings::Eager : streams == "lazy" ? Settings::Lazy : Settings::Random;
  s.seed = seed_of(streams);
  s.races = races == "off" ? Settings::Off : races == "warn" ? Settings::Warn : Settings::Stop;
  s.threads = threads == "up" ? 0 : threads == "down" ? 1 : 2 + (unsigned)seed_of(threads);
  s.memory = strtoull(text("SOFTGPU_MEMORY", "8589934592").c_str(), nullptr, 10);
  s.capability = (int)(strtod(text("SOFTGPU_CAPABILITY", "8.0").c_str(), nullptr) * 10 + 0.5);
  s.device = text("SOFTGPU_DEVICE", "1") != "0";
  s.trace = text("SOFTGPU_TRACE", "0") != "0";
  s.counts = text("SOFTGPU_COUNTS", "");
  if (!s.counts.empty()) atexit(write_counts);
  return s;
}

const Settings& settings() {
  static const Settings* read = new Settings(read_settings());  // never destroyed: write_counts reads it at exit
  return *read;
}

}  // namespace softgpu

// Called by the stubs that stand for every function of the API that is not written here.
API void softgpu_missing(const char* name) { softgpu::stop("%s is not part of the software GPU", name); }
