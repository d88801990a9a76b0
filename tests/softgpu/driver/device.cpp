// The card and its context.
#include <cstdio>
#include <cstring>

#include "machine.h"

using namespace softgpu;

namespace {
int context;  // its address is the one context there is
thread_local void* current;

// Numbers of CUdevice_attribute that somebody asks for, with the values of a small card.
enum {
  MAX_THREADS = 1, MAX_BLOCK_X, MAX_BLOCK_Y, MAX_BLOCK_Z, MAX_GRID_X, MAX_GRID_Y, MAX_GRID_Z, SHARED_OF_BLOCK,
  WARP = 10, MULTIPROCESSORS = 16, THREADS_OF_MULTIPROCESSOR = 39, CAPABILITY_MAJOR = 75, CAPABILITY_MINOR,
  SHARED_OF_MULTIPROCESSOR = 81, SHARED_OPT_IN = 97, MEMORY_POOLS = 115
};

int attribute(int which) {
  switch (which) {
    case MAX_THREADS: case MAX_BLOCK_X: case MAX_BLOCK_Y: return 1024;
    case MAX_BLOCK_Z: return 64;
    case MAX_GRID_X: return 0x7fffffff;
    case MAX_GRID_Y: case MAX_GRID_Z: return 65535;
    case SHARED_OF_BLOCK: return 48 << 10;
    case SHARED_OPT_IN: return 99 << 10;
    case SHARED_OF_MULTIPROCESSOR: return 100 << 10;
    case WARP: return 32;
    case MULTIPROCESSORS: return 8;
    case THREADS_OF_MULTIPROCESSOR: return 2048;
    case CAPABILITY_MAJOR: return settings().capability / 10;
    case CAPABILITY_MINOR: return settings().capability % 10;
    case MEMORY_POOLS: return 1;
    default: return 0;
  }
}
}  // namespace

API CUresult cuInit(unsigned) { return settings().device ? OK : NO_DEVICE; }
API CUresult cuDriverGetVersion(int* version) {
  *version = 13000;
  return OK;
}
API CUresult cuDeviceGetCount(int* count) {
  *count = settings().device;
  return OK;
}
API CUresult cuDeviceGet(int* device, int ordinal) {
  *device = ordinal;
  return ordinal == 0 && settings().device ? OK : INVALID_DEVICE;
}
API CUresult cuDeviceGetName(char* name, int size, int) {
  snprintf(name, size, "Software GPU");
  return OK;
}
API CUresult cuDeviceTotalMem_v2(size_t* bytes, int) {
  *bytes = settings().memory;
  return OK;
}
API CUresult cuDeviceGetUuid_v2(void* uuid, int) {
  memset(uuid, 7, 16);
  return OK;
}
API CUresult cuDeviceGetUuid(void* uuid, int device) { return cuDeviceGetUuid_v2(uuid, device); }
API CUresult cuDeviceGetAttribute(int* value, int which, int) {
  *value = attribute(which);
  return OK;
}

API CUresult cuDevicePrimaryCtxRetain(void** to, int) {
  *to = &context;
  return OK;
}
API CUresult cuDevicePrimaryCtxRelease_v2(int) { return OK; }
API CUresult cuCtxGetCurrent(void** to) {
  *to = current;
  return OK;
}
API CUresult cuCtxSetCurrent(void* to) {
  current = to;
  return OK;
}
API CUresult cuCtxSetFlags(unsigned) { return OK; }

namespace {
struct Error {
  int code;
  const char *name, *text;
} const ERRORS[] = {
    {INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {NO_DEVICE, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {NOT_FOUND, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {NOT_READY, "CUDA_ERROR_NOT_READY", "device not ready"},
};
const Error& error_of(int code) {
  static const Error other{0, "CUDA_ERROR_UNKNOWN", "unknown error"};
  for (auto& error : ERRORS)
    if (error.code == code) return error;
  return other;
}
}  // namespace

API CUresult cuGetErrorName(int code, const char** name) {
  *name = error_of(code).name;
  return OK;
}
API CUresult cuGetErrorString(int code, const char** text) {
  *text = error_of(code).text;
  return OK;
}
