// The threads of a block as fibers: one runs until it waits, one block after the other.
//
// A thread begins as a plain call from the loop that starts threads; only when it waits for the first time does another
// stack take the loop over. A kernel without barriers is thus a loop of calls.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#include <utility>

#include "abi.h"
#include "context.h"

static softgpu::Dim threadIdx, blockIdx, blockDim, gridDim;
static const int warpSize = 32;

namespace softgpu {

constexpr unsigned MAX_THREADS = 1024, LANES = 32;
constexpr size_t STACK = 32 << 10;

enum class State : unsigned char { Ready, AtBlock, AtWarp, Done };

struct Warp {
  uint32_t here, gone, absent;  // lanes that wait, that have returned, that the block does not have
  uint32_t phase;
  uint64_t slot[2][LANES];  // values of a shuffle; two, because a quick lane may begin the next one
};

static struct {
  const Launch* launch;
  void (*body)();
  void* scheduler;
  void* fiber[MAX_THREADS];
  unsigned char* stack[MAX_THREADS];
  State state[MAX_THREADS];
  bool slept[MAX_THREADS];
  Dim where[MAX_THREADS];
  unsigned place[MAX_THREADS];  // the order of the threads
  Warp warp[MAX_THREADS / LANES];
  unsigned self, count, at_block, done, next, starters;
  uint64_t round;
} block;
static unsigned char* dynamic_shared;

static void fault(const char* what) {
  char text[400];
  snprintf(text, sizeof text, "%s, block (%u,%u,%u), thread (%u,%u,%u): %s", block.launch->name, blockIdx.x, blockIdx.y,
           blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z, what);
  block.launch->fault(text);
  abort();
}

static inline void stand(unsigned thread) {
  block.self = thread;
  threadIdx = block.where[thread];
}

static void* starter();

static inline void wait() {
  unsigned self = block.self;
  bool first = !block.slept[self];
  block.slept[self] = true;
  switch_to(&block.fiber[self], first && block.next < block.count ? starter() : block.scheduler);
}

static void release_block() {
  for (unsigned t = 0; t < block.count; t++)
    if (block.state[t] == State::AtBlock) block.state[t] = State::Ready;
  block.at_block = 0;
}

static void release_warp(unsigned index) {
  block.warp[index].phase++;
  block.warp[index].here = 0;
  for (unsigned t = index * LANES; t < (index + 1) * LANES && t < block.count; t++)
    if (block.state[t] == State::AtWarp) block.state[t] = State::Ready;
}

__attribute__((noinline)) static void leave() {
  unsigned self = block.self;
  Warp& warp = block.warp[self / LANES];
  block.state[self] = State::Done;
  block.done++;
  warp.gone |= 1u << self % LANES;
  if (block.at_block && block.at_block + block.done == block.count) release_block();
  if (warp.here && (warp.here | warp.gone | warp.absent) == ~0u) release_warp(self / LANES);
}

static void start_threads() {
  while (block.next < block.count) {
    unsigned thread = block.place[block.next++];
    block.state[thread] = State::Ready;
    block.slept[thread] = false;
    stand(thread);
    block.body();
    bool slept = block.slept[thread];
    leave();
    if (slept) break;  // another stack has taken the loop over meanwhile
  }
  switch_to(&block.fiber[block.self], block.scheduler);
  __builtin_unreachable();
}

static void* starter() { return fresh(block.stack[block.starters++], STACK, start_threads); }

// Stacks in one arena of large pages, their tops spread over the cache's sets.
static void make_stacks() {
  constexpr size_t LARGE = 2 << 20, SPREAD = 4096, STEP = 448;
  size_t size = MAX_THREADS * (STACK + SPREAD);
  void* map = mmap(nullptr, size + LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (map == MAP_FAILED) fault("no memory for the stacks of its threads");
  auto arena = (unsigned char*)(((uintptr_t)map + LARGE - 1) & ~(uintptr_t)(LARGE - 1));
  madvise(arena, size, MADV_HUGEPAGE);
  for (size_t i = 0; i < MAX_THREADS; i++) block.stack[i] = arena + i * (STACK + SPREAD) + i * STEP % SPREAD / 64 * 64;
}

static void shuffle_threads() {
  uint64_t x = block.launch->order * 0x9e3779b97f4a7c15ull + block.round++;
  for (unsigned i = block.count; i > 1; i--) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    std::swap(block.place[i - 1], block.place[x % i]);
  }
}

static void deadlock() {
  unsigned at_block = 0, at_warp = 0;
  for (unsigned t = 0; t < block.count; t++) {
    at_block += block.state[t] == State::AtBlock;
    at_warp += block.state[t] == State::AtWarp;
  }
  char text[160];
  snprintf(text, sizeof text, "deadlock: %u threads wait at __syncthreads, %u at a warp operation, %u have returned",
           at_block, at_warp, block.done);
  fault(text);
}

static void run_block() {
  unsigned count = block.count;
  block.at_block = block.done = block.next = block.starters = 0;
  for (unsigned w = 0; w * LANES < count; w++) {
    unsigned lanes = count - w * LANES;
    block.warp[w].here = block.warp[w].gone = block.warp[w].phase = 0;
    block.warp[w].absent = lanes >= LANES ? 0 : ~0u << lanes;
  }
  if (block.launch->order > 1) shuffle_threads();
  switch_to(&block.scheduler, starter());
  while (block.done < count) {
    bool moved = false;
    for (unsigned i = 0; i < count; i++) {
      unsigned thread = block.place[i];
      if (i + 6 < count) __builtin_prefetch(block.fiber[block.place[i + 6]]);
      if (block.state[thread] != State::Ready) continue;
      moved = true;
      stand(thread);
      switch_to(&block.scheduler, block.fiber[thread]);
    }
    if (!moved) deadlock();
  }
}

static void lay_out(const Launch* launch) {
  static Dim last_block;
  static unsigned last_order = ~0u;
  if (!memcmp(&last_block, &launch->block, sizeof last_block) && last_order == launch->order) return;
  last_block = launch->block, last_order = launch->order;
  Dim size = launch->block;
  for (unsigned t = 0; t < block.count; t++) {
    block.where[t] = {t % size.x, t / size.x % size.y, t / size.x / size.y};
    block.place[t] = launch->order == 1 ? block.count - 1 - t : t;
  }
}

// Runs `body` once for each thread of the grid.
static void run_grid(const Launch* launch, void (*body)()) {
  block.launch = launch, block.body = body;
  gridDim = launch->grid, blockDim = launch->block;
  block.count = blockDim.x * blockDim.y * blockDim.z;
  if (!block.stack[0]) make_stacks();
  lay_out(launch);
  dynamic_shared = launch->shared ? (unsigned char*)aligned_alloc(256, (launch->shared + 255) / 256 * 256) : nullptr;
  for (unsigned z = 0; z < gridDim.z; z++)
    for (unsigned y = 0; y < gridDim.y; y++)
      for (unsigned x = 0; x < gridDim.x; x++) {
        if (launch->shared) memset(dynamic_shared, 0xff, launch->shared);  // what no thread wrote is no number
        blockIdx = {x, y, z};
        run_block();
      }
  free(dynamic_shared);
}

}  // namespace softgpu

// --- barriers and warps

__attribute__((noinline)) static void __syncthreads() {
  using namespace softgpu;
  block.state[block.self] = State::AtBlock;
  block.at_block++;
  if (block.at_block + block.done == block.count) release_block();
  wait();
}

__attribute__((noinline)) static void __syncwarp(unsigned mask = ~0u) {
  using namespace softgpu;
  unsigned self = block.self, lane = self % LANES;
  Warp& warp = block.warp[self / LANES];
  if (!(mask >> lane & 1)) fault("a warp operation whose mask leaves out the caller");
  warp.here |= 1u << lane;
  if ((warp.here | warp.gone | warp.absent | ~mask) == ~0u) return release_warp(self / LANES);
  block.state[self] = State::AtWarp;
  wait();
}

static inline void __threadfence() {}
static inline void __threadfence_block() {}

namespace softgpu {

template <class T>
__attribute__((noinline)) static T exchange(unsigned mask, T value, unsigned from) {
  static_assert(sizeof(T) <= 8);
  unsigned lane = block.self % LANES;
  Warp& warp = block.warp[block.self / LANES];
  uint64_t* slot = warp.slot[warp.phase & 1];
  memcpy(&slot[lane], &value, sizeof(T));
  __syncwarp(mask);
  if (from == lane) return value;
  // A lane that is not there: bits that no sum survives.
  if (warp.absent >> from & 1) memset((void*)&value, 0xff, sizeof(T));
  else memcpy((void*)&value, &slot[from], sizeof(T));
  return value;
}

static inline unsigned lane() { return block.self % LANES; }

}  // namespace softgpu

template <class T>
static inline T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32) {
  unsigned lane = softgpu::lane(), from = lane ^ bits;
  return softgpu::exchange(mask, value, from / width > lane / width ? lane : from);
}
template <class T>
static inline T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32) {
  unsigned lane = softgpu::lane();
  return softgpu::exchange(mask, value, lane % width + by < (unsigned)width ? lane + by : lane);
}
template <class T>
static inline T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32) {
  unsigned lane = softgpu::lane();
  return softgpu::exchange(mask, value, lane % width >= by ? lane - by : lane);
}
template <class T>
static inline T __shfl_sync(unsigned mask, T value, int from, int width = 32) {
  return softgpu::exchange(mask, value, softgpu::lane() / width * width + from % width);
}
