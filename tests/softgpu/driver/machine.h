// The machine behind the driver's functions: settings, allocations, streams, counters.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <deque>
#include <string>
#include <vector>

#include "../device/abi.h"

#define API extern "C" __attribute__((visibility("default")))
// One lock for everything: whoever holds it is the device.
#define LOCK std::lock_guard<std::recursive_mutex> lock(softgpu::machine)

using CUresult = int;
using CUdeviceptr = uint64_t;
enum {
  OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NO_DEVICE = 100, INVALID_DEVICE = 101, NOT_FOUND = 500, NOT_READY = 600
};

namespace softgpu {

extern std::recursive_mutex machine;

[[noreturn]] void stop(const char* format, ...) __attribute__((format(printf, 1, 2)));

// --- settings.cpp: the environment, read once

struct Settings {
  enum { Eager, Lazy, Random } streams;
  enum { Off, Warn, Stop } races;
  uint64_t seed;        // of random streams
  unsigned threads;     // Launch::order
  size_t memory;        // bytes of the card
  int capability;       // 80 is 8.0
  bool device;          // false: a driver without a card
  bool trace;
  std::string counts;   // file for the counters
};
const Settings& settings();

struct Counts {
  uint64_t launches, products, synchronizations, allocations;
  uint64_t to_device, to_host, on_device;  // bytes copied
  size_t allocated, peak;                  // bytes now and at most, in the order of the host's calls
  uint64_t taken;                          // bytes of all allocations
  struct Kernel { uint64_t calls; double seconds; };
  std::map<std::string, Kernel> operations;
};
extern Counts counts;

// --- streams.cpp

using Clock = std::vector<uint32_t>;  // how much of each stream has happened before

struct Ticket {
  struct Stream* stream;
  uint64_t number;
  bool done;
  Clock clock;
  double when;
};

struct Operation {
  std::string name;
  std::function<void()> run;
  std::shared_ptr<Ticket> ticket, waits;
};

struct Stream {
  unsigned id;
  long thread;    // of the host, that made it
  bool blocking;  // ordered with the legacy stream
  std::deque<Operation> queue;
  Clock clock;
};

struct Use {
  const void* pointer;
  bool writes;
};

Stream* stream_of(void* handle);
const Stream& stream_number(unsigned id);
void enqueue(Stream*, const std::string& name, std::function<void()> run, const std::vector<Use>& uses);
void finish(Stream*);
void finish_all();
extern const char* running;  // the operation that is being done, for faults

// --- memory.cpp and races.cpp

struct Mark {  // one access, for the race check
  unsigned stream = ~0u;
  uint32_t at = 0;
  std::string operation;
};

struct Allocation {
  size_t size;
  bool freed;
  void* map;
  size_t mapped;
  Mark write;
  std::vector<Mark> reads;
};

struct Found {
  uintptr_t base;
  Allocation* allocation;  // null: no device memory
};
Found find(const void* pointer);
// Stops unless [pointer, pointer + size) lies in one allocation.
void require(const char* operation, const void* pointer, size_t size);
void check_race(Stream*, const std::string& operation, const Use&);

}  // namespace softgpu
