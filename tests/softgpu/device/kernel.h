// CUDA C++ for the host. Included before every .cu that the software GPU compiles.
#pragma once
#include <cmath>
#include <tuple>
#include <type_traits>
#include <utility>

#ifdef SOFTGPU_LIST  // the preprocessor's pass that lists the kernels
#define __global__ softgpu_global
#else
#define __global__
#endif
#define __CUDA_ARCH__ 800
#define __CUDACC_VER_MAJOR__ 13
#define __CUDACC_VER_MINOR__ 0
#define CUDA_VERSION 13000
#define __device__
#define __host__
#define __constant__ static
#define __shared__ static
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __align__(n) __attribute__((aligned(n)))
#define __launch_bounds__(...)
#define __grid_constant__

#include "fibers.h"
#include "intrinsics.h"

#undef assert
#define assert(condition) ((condition) ? (void)0 : softgpu::fault("assertion failed: " #condition))

namespace softgpu {

// A kernel's arguments, by its own signature.
template <auto KERNEL>
struct Trampoline;

template <class... A, void (*KERNEL)(A...)>
struct Trampoline<KERNEL> {
  using Arguments = std::tuple<std::decay_t<A>...>;
  using Indices = std::index_sequence_for<A...>;
  static inline const Arguments* now;

  static void pack(void* to, void** from) { pack(*(Arguments*)to, from, Indices{}); }
  static void pointers(const void* arguments, void* to, Visit visit) {
    pointers(*(const Arguments*)arguments, to, visit, Indices{});
  }
  static void run(const Launch* launch) {
    now = (const Arguments*)launch->arguments;
    run_grid(launch, [] { std::apply(KERNEL, *now); });
  }

 private:
  template <size_t... I>
  static void pack(Arguments& to, void** from, std::index_sequence<I...>) {
    (memcpy((void*)&std::get<I>(to), from[I], sizeof(std::get<I>(to))), ...);
  }
  template <size_t I>
  static void pointer(const Arguments& arguments, void* to, Visit visit) {
    using T = std::tuple_element_t<I, Arguments>;
    if constexpr (std::is_pointer_v<T>)
      visit(to, I, (const void*)std::get<I>(arguments), !std::is_const_v<std::remove_pointer_t<T>>);
  }
  template <size_t... I>
  static void pointers(const Arguments& arguments, void* to, Visit visit, std::index_sequence<I...>) {
    (pointer<I>(arguments, to, visit), ...);
  }
};

template <auto KERNEL>
constexpr Entry entry(const char* name) {
  using T = Trampoline<KERNEL>;
  return {name, std::tuple_size_v<typename T::Arguments>, sizeof(typename T::Arguments), T::pack, T::run, T::pointers};
}

}  // namespace softgpu

// nvcc.py writes one entry for each kernel behind the source.
#define SOFTGPU_TABLE_BEGIN extern "C" __attribute__((visibility("default"))) const softgpu::Entry softgpu_table[] = {
#define SOFTGPU_ENTRY(name) softgpu::entry<&name>(#name),
#define SOFTGPU_TABLE_END {nullptr, 0, 0, nullptr, nullptr, nullptr}};
