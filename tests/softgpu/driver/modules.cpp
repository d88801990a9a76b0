// Modules and launches. An image is what nvcc.py wrote for a .cu; it is compiled for the host when it is loaded.
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unordered_map>

#include "machine.h"

namespace softgpu {

struct Function {
  const Entry* entry;
  unsigned shared_limit;
};

struct Module {
  void* library;
  std::unordered_map<std::string, Function> functions;
};

static constexpr unsigned SHARED = 48 << 10, SHARED_OPT_IN = 99 << 10;

// `nvcc --module` keeps what it compiled; the compiler is the one that stands in the PATH, as for the build.
static std::string compiled(const char* image) {
  char path[] = "/tmp/softgpu-image-XXXXXX";
  int descriptor = mkstemp(path);
  FILE* file = descriptor < 0 ? nullptr : fdopen(descriptor, "w");
  if (!file || fputs(image, file) < 0 || fclose(file)) stop("cannot write %s", path);
  const char* nvcc = getenv("NVCC");
  std::string command = std::string(nvcc ? nvcc : "nvcc") + " --module " + path;
  FILE* pipe = popen(command.c_str(), "r");
  char line[4096] = "";
  bool read = pipe && fgets(line, sizeof line, pipe);
  int status = pipe ? pclose(pipe) : -1;
  remove(path);
  if (!read || status) stop("`%s` failed", command.c_str());
  return std::string(line, strcspn(line, "\n"));
}

static void fault(const char* text) { stop("%s", text); }

static bool allowed(const Function& function, const Launch& launch) {
  auto [gx, gy, gz] = launch.grid;
  auto [bx, by, bz] = launch.block;
  uint64_t threads = (uint64_t)bx * by * bz;
  bool grid = gx && gx <= 0x7fffffff && gy && gy <= 65535 && gz && gz <= 65535;
  bool block = threads && threads <= 1024 && bz <= 64;
  if (grid && block && launch.shared <= function.shared_limit) return true;
  fprintf(stderr, "softgpu: %s: a grid of (%u,%u,%u) blocks of (%u,%u,%u) threads with %zu bytes of shared memory is "
          "outside the card's limits\n", launch.name, gx, gy, gz, bx, by, bz, launch.shared);
  return false;
}

// Collects what the pointers of a launch may be used for; stops at one that points nowhere.
struct Collected {
  const Entry* entry;
  std::vector<Use> uses;
};

static void collect(void* to, size_t index, const void* pointer, bool writes) {
  auto* collected = (Collected*)to;
  if (!pointer) return;
  auto [base, allocation] = find(pointer);
  if (!allocation) stop("%s: argument %zu (%p) points to no device memory", collected->entry->name, index, pointer);
  if (allocation->freed) stop("%s: argument %zu (%p) was freed before", collected->entry->name, index, pointer);
  collected->uses.push_back({pointer, writes});
}

}  // namespace softgpu

using namespace softgpu;

API CUresult cuModuleLoadData(void** out, const void* image) {
  LOCK;
  auto path = compiled((const char*)image);
  auto* module = new Module{dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL), {}};
  if (!module->library) stop("%s", dlerror());
  auto* entry = (const Entry*)dlsym(module->library, "softgpu_table");
  if (!entry) stop("%s has no table of kernels", path.c_str());
  for (; entry->name; entry++) module->functions[entry->name] = {entry, SHARED};
  *out = module;
  return OK;
}
API CUresult cuModuleUnload(void*) { return OK; }
API CUresult cuModuleGetFunction(void** out, void* module, const char* name) {
  LOCK;
  auto& functions = ((Module*)module)->functions;
  auto at = functions.find(name);
  if (at == functions.end()) return NOT_FOUND;
  *out = &at->second;
  return OK;
}

enum { MAX_THREADS_PER_BLOCK = 0, MAX_DYNAMIC_SHARED = 8 };

API CUresult cuFuncSetAttribute(void* function, int attribute, int value) {
  LOCK;
  if (attribute != MAX_DYNAMIC_SHARED) return OK;
  if (value < 0 || (unsigned)value > SHARED_OPT_IN) return INVALID_VALUE;
  ((Function*)function)->shared_limit = std::max<unsigned>(value, SHARED);
  return OK;
}
API CUresult cuFuncGetAttribute(int* value, int attribute, void*) {
  *value = attribute == MAX_THREADS_PER_BLOCK ? 1024 : 0;
  return OK;
}
API CUresult cuFuncSetCacheConfig(void*, int) { return OK; }

API CUresult cuLaunchKernel(void* handle, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                            unsigned shared, void* stream, void** parameters, void** extra) {
  LOCK;
  auto& function = *(Function*)handle;
  const Entry* entry = function.entry;
  Launch launch{entry->name, {gx, gy, gz}, {bx, by, bz}, shared, nullptr, settings().threads, fault};
  if (!allowed(function, launch)) return INVALID_VALUE;
  if (extra) stop("%s: a launch with `extra` is not part of the software GPU", entry->name);
  // The arguments are copied now, 16-byte aligned as their tuple may ask for.
  auto storage = std::make_shared<std::vector<uint64_t>>(entry->bytes / 8 + 4);
  launch.arguments = (void*)(((uintptr_t)storage->data() + 15) / 16 * 16);
  entry->pack((void*)launch.arguments, parameters);
  Collected collected{entry, {}};
  entry->pointers(launch.arguments, &collected, collect);
  counts.launches++;
  enqueue(stream_of(stream), entry->name, [=] { (void)storage, entry->run(&launch); }, collected.uses);
  return OK;
}
