// Races: two uses of an allocation, one of them a write, that neither a stream's order nor an event nor the host's
// waiting puts in order. By whole allocations: two views of one that share no byte are reported too.
#include <cstdio>

#include "machine.h"

namespace softgpu {

static bool before(const Mark& mark, const Stream* stream) {
  return mark.stream < stream->clock.size() && stream->clock[mark.stream] >= mark.at;
}

static void report(const Stream* stream, const std::string& operation, bool writes, const Mark& earlier, size_t size) {
  const Stream& other = stream_number(earlier.stream);
  char text[500];
  snprintf(text, sizeof text,
           "race: %s on stream %u (host thread %ld) %s %zu bytes that %s on stream %u (host thread %ld) uses, and "
           "nothing puts the two in order",
           operation.c_str(), stream->id, stream->thread, writes ? "writes" : "reads", size, earlier.operation.c_str(),
           other.id, other.thread);
  if (settings().races == Settings::Stop) stop("%s", text);
  static unsigned reports;
  if (++reports <= 20) fprintf(stderr, "softgpu: %s\n", text);
}

void check_race(Stream* stream, const std::string& operation, const Use& use) {
  auto [base, allocation] = find(use.pointer);
  if (!allocation) return;
  if (allocation->write.stream != ~0u && !before(allocation->write, stream))
    report(stream, operation, use.writes, allocation->write, allocation->size);
  Mark mark{stream->id, stream->clock[stream->id], operation};
  if (use.writes) {
    for (auto& read : allocation->reads)
      if (!before(read, stream)) report(stream, operation, true, read, allocation->size);
    allocation->reads.clear();
    allocation->write = mark;
    return;
  }
  for (auto& read : allocation->reads)
    if (read.stream == stream->id) return (void)(read = mark);
  allocation->reads.push_back(mark);
}

}  // namespace softgpu
