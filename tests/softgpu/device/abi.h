// What a module of kernels and the driver agree on.
#pragma once
#include <cstddef>
#include <cstdint>

namespace softgpu {

struct Dim {
  unsigned x, y, z;
};

struct Launch {
  const char* name;
  Dim grid, block;
  size_t shared;  // bytes of dynamic shared memory
  const void* arguments;
  unsigned order;  // of a block's threads: 0 ascending, 1 descending, else the seed of shuffles
  void (*fault)(const char* what);  // reports a fault inside the kernel; does not return
};

using Visit = void (*)(void* to, size_t index, const void* pointer, bool writes);

struct Entry {
  const char* name;
  size_t parameters, bytes;
  void (*pack)(void* to, void** from);  // copies the arguments by the kernel's own types
  void (*run)(const Launch*);
  // Each pointer among the arguments; what the kernel may do with it follows from its `const`.
  void (*pointers)(const void* arguments, void* to, Visit visit);
};

}  // namespace softgpu
