// Device memory is the host's, each allocation between two pages that nobody may touch and its end at the second.
// (A card aligns to 256 bytes; here a size that is no multiple of 16 costs that, and no byte behind the end is missed.)
//
// New memory holds 0xff: NaN in every type of float. Freed memory cannot be touched at all, and its addresses come back
// late. The counters follow the order of the host's calls, as a pool that reuses memory in its stream's order does.
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <deque>

#include "machine.h"

namespace softgpu {

static constexpr size_t PAGE = 4096, KEPT = 4096;  // freed allocations that keep their addresses
static constexpr unsigned char POISON = 0xff;

static std::map<uintptr_t, Allocation> memory;  // by address
static std::deque<uintptr_t> freed;
static std::map<uintptr_t, size_t> pinned;

static size_t up(size_t size, size_t to) { return (size + to - 1) / to * to; }

Found find(const void* pointer) {
  auto address = (uintptr_t)pointer;
  auto at = memory.upper_bound(address);
  if (at == memory.begin()) return {0, nullptr};
  --at;
  bool inside = address <= at->first + at->second.size;  // the end too: a view of nothing may stand there
  return inside ? Found{at->first, &at->second} : Found{0, nullptr};
}

void require(const char* operation, const void* pointer, size_t size) {
  auto [base, allocation] = find(pointer);
  if (!allocation) stop("%s: %p is no device memory", operation, pointer);
  if (allocation->freed) stop("%s: %p was freed before", operation, pointer);
  if ((uintptr_t)pointer + size > base + allocation->size)
    stop("%s: %zu bytes at %p run over the end of an allocation of %zu", operation, size, pointer, allocation->size);
}

// An operation touches what is no device memory, no longer, or not yet.
static void on_fault(int signal_number, siginfo_t* info, void*) {
  if (!running) {  // not ours: the program's own fault
    signal(signal_number, SIG_DFL);
    return;
  }
  auto address = (uintptr_t)info->si_addr;
  auto at = memory.upper_bound(address + PAGE);
  char text[400];
  int length = snprintf(text, sizeof text, "softgpu: %s touches %#lx, which is no device memory\n", running, address);
  while (at != memory.begin()) {
    --at;
    auto& [base, allocation] = *at;
    if (address >= (uintptr_t)allocation.map + allocation.mapped) break;
    if (allocation.freed && address >= base && address < base + allocation.size)
      length = snprintf(text, sizeof text, "softgpu: %s touches freed memory, byte %zu of an allocation of %zu\n",
                        running, address - base, allocation.size);
    else if (address >= base)
      length = snprintf(text, sizeof text, "softgpu: %s touches %zu bytes behind the end of an allocation of %zu\n",
                        running, address - base - allocation.size, allocation.size);
    else if (address >= (uintptr_t)allocation.map)
      length = snprintf(text, sizeof text, "softgpu: %s touches %zu bytes before an allocation of %zu\n", running,
                        base - address, allocation.size);
    else continue;
    break;
  }
  if (write(2, text, length) < 0) _exit(135);
  _exit(134);
}

static void watch_faults() {
  static bool once;
  if (once) return;
  once = true;
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, nullptr);
  sigaction(SIGBUS, &action, nullptr);
}

static CUresult take(CUdeviceptr* out, size_t size) {
  watch_faults();
  if (counts.allocated + size > settings().memory) return OUT_OF_MEMORY;
  size_t room = up(std::max<size_t>(size, 1), PAGE);
  Allocation allocation{size, false, nullptr, room + 2 * PAGE, {}, {}};
  allocation.map = mmap(nullptr, allocation.mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (allocation.map == MAP_FAILED) stop("mmap of %zu bytes failed", allocation.mapped);
  char* first = (char*)allocation.map + PAGE;
  if (mprotect(first, room, PROT_READ | PROT_WRITE)) stop("mprotect of %zu bytes failed", room);
  memset(first, POISON, room);
  *out = (CUdeviceptr)(first + room - size);
  memory[*out] = allocation;
  counts.allocations++;
  counts.allocated += size;
  counts.taken += size;
  counts.peak = std::max(counts.peak, counts.allocated);
  return OK;
}

// When the host calls for it.
static void leave(CUdeviceptr pointer, const char* operation) {
  auto at = memory.find(pointer);
  if (at == memory.end()) stop("%s of %#lx, which is no allocation", operation, (unsigned long)pointer);
  if (at->second.freed) stop("%s of %#lx, which was freed before", operation, (unsigned long)pointer);
  at->second.freed = true;
  counts.allocated -= at->second.size;
}

// When the stream comes to it.
static void give(CUdeviceptr pointer) {
  auto& allocation = memory.at(pointer);
  // Gives the pages back and keeps the addresses.
  mmap(allocation.map, allocation.mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  freed.push_back(pointer);
  if (freed.size() <= KEPT) return;
  auto oldest = memory.find(freed.front());
  munmap(oldest->second.map, oldest->second.mapped);
  memory.erase(oldest);
  freed.pop_front();
}

static bool is_pinned(const void* pointer) {
  auto at = pinned.upper_bound((uintptr_t)pointer);
  if (at == pinned.begin()) return false;
  --at;
  return (uintptr_t)pointer < at->first + at->second;
}

}  // namespace softgpu

using namespace softgpu;

API CUresult cuMemAlloc_v2(CUdeviceptr* pointer, size_t size) {
  LOCK;
  return size ? take(pointer, size) : INVALID_VALUE;
}
API CUresult cuMemFree_v2(CUdeviceptr pointer) {
  LOCK;
  if (!pointer) return OK;
  leave(pointer, "cuMemFree");
  finish_all();
  give(pointer);
  return OK;
}
API CUresult cuMemAllocAsync(CUdeviceptr* pointer, size_t size, void* stream) {
  LOCK;
  *pointer = 0;
  if (!size) return OK;
  if (CUresult result = take(pointer, size)) return result;
  enqueue(stream_of(stream), "cuMemAllocAsync", nullptr, {{(void*)*pointer, true}});
  return OK;
}
API CUresult cuMemFreeAsync(CUdeviceptr pointer, void* stream) {
  LOCK;
  if (!pointer) return OK;
  leave(pointer, "cuMemFreeAsync");
  enqueue(stream_of(stream), "cuMemFreeAsync", [=] { give(pointer); }, {{(void*)pointer, true}});
  return OK;
}
API CUresult cuMemGetInfo_v2(size_t* free, size_t* total) {
  LOCK;
  *total = settings().memory;
  *free = *total - counts.allocated;
  return OK;
}

API CUresult cuMemHostAlloc(void** pointer, size_t size, unsigned) {
  LOCK;
  *pointer = aligned_alloc(PAGE, up(size, PAGE));
  pinned[(uintptr_t)*pointer] = size;
  return OK;
}
API CUresult cuMemFreeHost(void* pointer) {
  LOCK;
  finish_all();
  pinned.erase((uintptr_t)pointer);
  free(pointer);
  return OK;
}

// --- the default memory pool

enum { POOL_USED_NOW = 7, POOL_USED_HIGH = 8 };

API CUresult cuDeviceGetDefaultMemPool(void** pool, int) {
  static int object;
  *pool = &object;
  return OK;
}
API CUresult cuMemPoolSetAttribute(void*, int attribute, void* value) {
  LOCK;
  if (attribute == POOL_USED_HIGH && *(uint64_t*)value == 0) counts.peak = counts.allocated;
  return OK;
}
API CUresult cuMemPoolGetAttribute(void*, int attribute, void* value) {
  LOCK;
  if (attribute != POOL_USED_NOW && attribute != POOL_USED_HIGH) return INVALID_VALUE;
  *(uint64_t*)value = attribute == POOL_USED_NOW ? counts.allocated : counts.peak;
  return OK;
}

// --- copies

API CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t size, void* stream) {
  LOCK;
  if (!size) return OK;
  require("cuMemcpyHtoDAsync", (void*)to, size);
  counts.to_device += size;
  std::shared_ptr<std::vector<char>> copy;
  if (!is_pinned(from)) {  // pageable memory is read before the call returns
    copy = std::make_shared<std::vector<char>>((const char*)from, (const char*)from + size);
    from = copy->data();
  }
  auto run = [=] { (void)copy, memcpy((void*)to, from, size); };
  enqueue(stream_of(stream), "cuMemcpyHtoDAsync", run, {{(void*)to, true}});
  return OK;
}
API CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t size, void* stream) {
  LOCK;
  if (!size) return OK;
  require("cuMemcpyDtoHAsync", (void*)from, size);
  counts.to_host += size;
  auto run = [=] { memcpy(to, (void*)from, size); };
  enqueue(stream_of(stream), "cuMemcpyDtoHAsync", run, {{(void*)from, false}});
  if (!is_pinned(to)) finish(stream_of(stream));  // pageable memory is there when the call returns
  return OK;
}
API CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t size, void* stream) {
  LOCK;
  if (!size) return OK;
  require("cuMemcpyDtoDAsync", (void*)from, size);
  require("cuMemcpyDtoDAsync", (void*)to, size);
  counts.on_device += size;
  auto run = [=] { memmove((void*)to, (void*)from, size); };
  enqueue(stream_of(stream), "cuMemcpyDtoDAsync", run, {{(void*)from, false}, {(void*)to, true}});
  return OK;
}
API CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t size, void* stream) {
  LOCK;
  if (!size) return OK;
  require("cuMemsetD8Async", (void*)to, size);
  auto run = [=] { memset((void*)to, value, size); };
  enqueue(stream_of(stream), "cuMemsetD8Async", run, {{(void*)to, true}});
  return OK;
}
// The synchronous forms work on the legacy stream.
API CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t size) {
  LOCK;
  CUresult result = cuMemcpyHtoDAsync_v2(to, from, size, nullptr);
  finish(stream_of(nullptr));
  return result;
}
API CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t size) {
  LOCK;
  CUresult result = cuMemcpyDtoHAsync_v2(to, from, size, nullptr);
  finish(stream_of(nullptr));
  return result;
}
API CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t size) {
  return cuMemcpyDtoDAsync_v2(to, from, size, nullptr);
}
API CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t size) {
  return cuMemsetD8Async(to, value, size, nullptr);
}
