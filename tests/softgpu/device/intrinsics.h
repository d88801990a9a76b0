// Vector types, arithmetic and atomics of CUDA C++, as far as candle's kernels and ours use them.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "abi.h"

using dim3 = softgpu::Dim;

#define SOFTGPU_VECTOR2(name, type, alignment)                          \
  struct alignas(alignment) name { type x, y; };                        \
  static inline name make_##name(type x, type y) { return {x, y}; }
#define SOFTGPU_VECTOR4(name, type, alignment)                          \
  struct alignas(alignment) name { type x, y, z, w; };                  \
  static inline name make_##name(type x, type y, type z, type w) { return {x, y, z, w}; }
SOFTGPU_VECTOR2(float2, float, 8)
SOFTGPU_VECTOR2(int2, int, 8)
SOFTGPU_VECTOR2(uint2, unsigned, 8)
SOFTGPU_VECTOR2(double2, double, 16)
SOFTGPU_VECTOR4(float4, float, 16)
SOFTGPU_VECTOR4(int4, int, 16)
SOFTGPU_VECTOR4(uint4, unsigned, 16)
SOFTGPU_VECTOR4(char4, signed char, 4)
SOFTGPU_VECTOR4(uchar4, unsigned char, 4)
struct float3 { float x, y, z; };
struct int3 { int x, y, z; };
struct uint3 { unsigned x, y, z; };

// --- numbers

template <class T, class U>
static inline constexpr auto min(T a, U b) {
  using C = std::common_type_t<T, U>;
  return (C)a < (C)b ? (C)a : (C)b;
}
template <class T, class U>
static inline constexpr auto max(T a, U b) {
  using C = std::common_type_t<T, U>;
  return (C)a > (C)b ? (C)a : (C)b;
}

using std::isinf;
using std::isnan;
using std::signbit;

namespace softgpu {
template <class To, class From>
static inline To bits(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  memcpy((void*)&to, &from, sizeof to);
  return to;
}
}  // namespace softgpu

static inline unsigned __float_as_uint(float x) { return softgpu::bits<unsigned>(x); }
static inline int __float_as_int(float x) { return softgpu::bits<int>(x); }
static inline float __uint_as_float(unsigned x) { return softgpu::bits<float>(x); }
static inline float __int_as_float(int x) { return softgpu::bits<float>(x); }
static inline long long __double_as_longlong(double x) { return softgpu::bits<long long>(x); }
static inline double __longlong_as_double(long long x) { return softgpu::bits<double>(x); }

static inline float rsqrtf(float x) { return 1 / sqrtf(x); }
static inline double rsqrt(double x) { return 1 / sqrt(x); }
static inline float normcdff(float x) { return 0.5f * erfcf(x * -0.70710678118654752f); }
static inline double normcdf(double x) { return 0.5 * erfc(x * -0.70710678118654752); }
// glibc has functions of these names.
#define __expf expf
#define __logf logf
static inline float __fdividef(float a, float b) { return a / b; }
static inline float fdividef(float a, float b) { return a / b; }
static inline float __frcp_rn(float x) { return 1 / x; }
static inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
// Rounded each for itself, also where one follows the other: what the compiler cannot look into it cannot fuse.
__attribute__((noinline)) static float __fmul_rn(float a, float b) { return a * b; }
__attribute__((noinline)) static float __fadd_rn(float a, float b) { return a + b; }

static inline unsigned __umulhi(unsigned a, unsigned b) { return (uint64_t)a * b >> 32; }
static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline int __clz(int x) { return x ? __builtin_clz(x) : 32; }
static inline int __ffs(int x) { return __builtin_ffs(x); }
template <class T>
static inline T __ldg(const T* p) { return *p; }

// --- four bytes at once

static inline int8_t softgpu_byte(int x, int i) { return (int8_t)(x >> 8 * i); }

static inline int __vsub4(int a, int b) {
  unsigned r = 0;
  for (int i = 0; i < 4; i++) r |= (unsigned)(uint8_t)(softgpu_byte(a, i) - softgpu_byte(b, i)) << 8 * i;
  return r;
}
static inline int __vsubss4(int a, int b) {
  unsigned r = 0;
  for (int i = 0; i < 4; i++) {
    int difference = softgpu_byte(a, i) - softgpu_byte(b, i);
    r |= (unsigned)(uint8_t)(difference > 127 ? 127 : difference < -128 ? -128 : difference) << 8 * i;
  }
  return r;
}
static inline int __dp4a(int a, int b, int sum) {
  for (int i = 0; i < 4; i++) sum += softgpu_byte(a, i) * softgpu_byte(b, i);
  return sum;
}
static inline unsigned __byte_perm(unsigned x, unsigned y, unsigned selector) {
  uint64_t all = (uint64_t)y << 32 | x;
  unsigned r = 0;
  for (int i = 0; i < 4; i++) r |= (unsigned)(all >> 8 * (selector >> 4 * i & 7) & 255) << 8 * i;
  return r;
}

// --- atomics: one thread at a time is running

template <class T, class U>
static inline T atomicAdd(T* p, U value) {
  T old = *p;
  *p = old + (T)value;
  return old;
}
template <class T, class U>
static inline T atomicMax(T* p, U value) {
  T old = *p;
  if ((T)value > old) *p = (T)value;
  return old;
}
template <class T, class U>
static inline T atomicMin(T* p, U value) {
  T old = *p;
  if ((T)value < old) *p = (T)value;
  return old;
}
template <class T, class U, class V>
static inline T atomicCAS(T* p, U expected, V value) {
  T old = *p;
  if (old == (T)expected) *p = (T)value;
  return old;
}
template <class T, class U>
static inline T atomicExch(T* p, U value) {
  T old = *p;
  *p = (T)value;
  return old;
}
