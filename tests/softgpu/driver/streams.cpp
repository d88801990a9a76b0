// Streams: queues whose work runs as late as it may, or in a seeded random order, and never earlier than it must.
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "machine.h"

namespace softgpu {

const char* running;

static std::vector<Stream*> streams;  // never freed: their numbers stand in clocks
static Clock host;                    // what some thread of the host has waited for

static double now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

static uint64_t roll() {
  static uint64_t state = 88172645463325252ull + settings().seed * 1000003ull;
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return state;
}

static Stream* make_stream(bool blocking) {
  streams.push_back(new Stream{(unsigned)streams.size(), syscall(SYS_gettid), blocking, {}, {}});
  return streams.back();
}

static Stream* legacy() {
  static Stream* stream = make_stream(true);
  return stream;
}

Stream* stream_of(void* handle) {
  static thread_local Stream* own;
  if (handle == nullptr || handle == (void*)1) return legacy();
  if (handle != (void*)2) return (Stream*)handle;
  // The handle of the per-thread default stream means another stream in each thread that calls.
  if (!own) own = make_stream(true);
  return own;
}

const Stream& stream_number(unsigned id) { return *streams[id]; }

static void join(Clock& to, const Clock& from) {
  if (to.size() < from.size()) to.resize(from.size());
  for (size_t i = 0; i < from.size(); i++) to[i] = std::max(to[i], from[i]);
}

static void drain(Stream*, uint64_t until);

static void perform(Operation& operation) {
  if (operation.waits && !operation.waits->done) drain(operation.waits->stream, operation.waits->number);
  if (operation.waits && !operation.waits->done) stop("an event that %s waits for was lost", operation.name.c_str());
  double start = now();
  running = operation.name.c_str();
  if (operation.run) operation.run();
  running = nullptr;
  double end = now();
  if (operation.ticket) operation.ticket->done = true, operation.ticket->when = end;
  auto& kernel = counts.operations[operation.name];
  kernel.calls++, kernel.seconds += end - start;
}

static void perform_first(Stream* stream) {
  Operation operation = std::move(stream->queue.front());
  stream->queue.pop_front();
  perform(operation);
}

// All of a stream's queue, or as far as a ticket.
static void drain(Stream* stream, uint64_t until = ~0ull) {
  while (!stream->queue.empty()) {
    auto ticket = stream->queue.front().ticket;
    perform_first(stream);
    if (ticket && ticket->number >= until) return;
  }
}

// Some queues go on for a while.
static void wander() {
  for (unsigned turns = roll() % 4; turns; turns--) {
    Stream* stream = streams[roll() % streams.size()];
    for (unsigned steps = roll() % 8; steps && !stream->queue.empty(); steps--) perform_first(stream);
  }
}

static void enqueue(Stream* stream, Operation operation, const std::vector<Use>& uses) {
  if (stream == legacy()) {
    for (auto* other : streams)
      if (other->blocking && other != stream) drain(other), join(stream->clock, other->clock);
  } else if (stream->blocking) {
    drain(legacy()), join(stream->clock, legacy()->clock);
  }
  join(stream->clock, host);
  if (operation.waits) join(stream->clock, operation.waits->clock);
  if (stream->clock.size() <= stream->id) stream->clock.resize(stream->id + 1);
  stream->clock[stream->id]++;
  if (operation.ticket) operation.ticket->clock = stream->clock;
  if (settings().races)
    for (auto& use : uses) check_race(stream, operation.name, use);
  if (settings().trace) fprintf(stderr, "softgpu: stream %u: %s\n", stream->id, operation.name.c_str());
  stream->queue.push_back(std::move(operation));
  if (settings().streams == Settings::Eager) drain(stream);
  if (settings().streams == Settings::Random) wander();
}

void enqueue(Stream* stream, const std::string& name, std::function<void()> run, const std::vector<Use>& uses) {
  enqueue(stream, {name, std::move(run), nullptr, nullptr}, uses);
}

void finish(Stream* stream) {
  counts.synchronizations++;
  drain(stream);
  join(host, stream->clock);
}

void finish_all() {
  counts.synchronizations++;
  for (size_t i = streams.size(); i--;) drain(streams[i]), join(host, streams[i]->clock);  // the youngest first
}

}  // namespace softgpu

using namespace softgpu;

struct Event {
  std::shared_ptr<Ticket> last;
};

API CUresult cuStreamCreate(void** stream, unsigned flags) {
  LOCK;
  legacy();
  *stream = make_stream(!(flags & 1));
  return OK;
}
API CUresult cuStreamCreateWithPriority(void** stream, unsigned flags, int) { return cuStreamCreate(stream, flags); }
API CUresult cuStreamDestroy_v2(void* stream) {
  LOCK;
  drain(stream_of(stream));
  return OK;
}
API CUresult cuStreamSynchronize(void* stream) {
  LOCK;
  finish(stream_of(stream));
  return OK;
}
API CUresult cuStreamIsCapturing(void*, int* status) {
  *status = 0;
  return OK;
}
API CUresult cuCtxSynchronize() {
  LOCK;
  finish_all();
  return OK;
}

API CUresult cuEventCreate(void** event, unsigned) {
  *event = new Event;
  return OK;
}
API CUresult cuEventDestroy_v2(void* event) {
  LOCK;
  delete (Event*)event;
  return OK;
}
API CUresult cuEventRecord(void* event, void* handle) {
  LOCK;
  static uint64_t tickets;
  Stream* stream = stream_of(handle);
  auto ticket = std::make_shared<Ticket>(Ticket{stream, ++tickets, false, {}, 0});
  ((Event*)event)->last = ticket;
  enqueue(stream, {"cuEventRecord", nullptr, ticket, nullptr}, {});
  return OK;
}
API CUresult cuStreamWaitEvent(void* handle, void* event, unsigned) {
  LOCK;
  auto ticket = ((Event*)event)->last;
  if (ticket) enqueue(stream_of(handle), {"cuStreamWaitEvent", nullptr, nullptr, ticket}, {});
  return OK;
}
API CUresult cuEventSynchronize(void* event) {
  LOCK;
  auto ticket = ((Event*)event)->last;
  if (!ticket) return OK;
  counts.synchronizations++;
  if (!ticket->done) drain(ticket->stream, ticket->number);
  join(host, ticket->clock);
  return OK;
}
API CUresult cuEventQuery(void* event) {
  LOCK;
  auto ticket = ((Event*)event)->last;
  if (settings().streams == Settings::Random) wander();
  return !ticket || ticket->done ? OK : NOT_READY;
}
API CUresult cuEventElapsedTime_v2(float* milliseconds, void* from, void* to) {
  LOCK;
  auto start = ((Event*)from)->last, end = ((Event*)to)->last;
  *milliseconds = start && end ? (end->when - start->when) * 1e3 : 0;
  return OK;
}
