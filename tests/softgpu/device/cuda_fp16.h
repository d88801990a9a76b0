// __half and __nv_bfloat16: their bits, computed in float and rounded to the nearest, ties to even.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

struct __half_raw {
  uint16_t x;
};
struct __nv_bfloat16_raw {
  uint16_t x;
};

namespace softgpu {

struct F16 {
  using Raw = __half_raw;
  static float widen(uint16_t bits) {
    _Float16 half;
    memcpy(&half, &bits, 2);
    return (float)half;
  }
  static uint16_t round(float x) {
    _Float16 half = (_Float16)x;
    uint16_t bits;
    memcpy(&bits, &half, 2);
    return bits;
  }
};

struct BF16 {
  using Raw = __nv_bfloat16_raw;
  static float widen(uint16_t bits) {
    uint32_t wide = (uint32_t)bits << 16;
    float x;
    memcpy(&x, &wide, 4);
    return x;
  }
  static uint16_t round(float x) {
    uint32_t wide;
    memcpy(&wide, &x, 4);
    if ((wide & 0x7fffffffu) > 0x7f800000u) return 0x7fff;  // CUDA's NaN
    return (wide + 0x7fffu + (wide >> 16 & 1)) >> 16;
  }
};

// Converts from every arithmetic type and to float. Mixed with float or double, the small one is widened: without the
// overloads for these two, `half * float` would be ambiguous.
template <class Format>
struct Small {
  using Raw = typename Format::Raw;
  uint16_t __x;

  Small() = default;
  template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
  Small(T x) : __x(Format::round((float)x)) {}
  Small(Raw raw) : __x(raw.x) {}
  static Small of(uint16_t bits) { return Raw{bits}; }
  operator Raw() const { return {__x}; }
  operator float() const { return Format::widen(__x); }
  float f() const { return Format::widen(__x); }

#define SOFTGPU_OPERATOR(op)                                                   \
  friend Small operator op(Small a, Small b) { return a.f() op b.f(); }        \
  friend float operator op(Small a, float b) { return a.f() op b; }            \
  friend float operator op(float a, Small b) { return a op b.f(); }            \
  friend double operator op(Small a, double b) { return a.f() op b; }          \
  friend double operator op(double a, Small b) { return a op b.f(); }          \
  Small& operator op##=(Small b) { return *this = *this op b; }
  SOFTGPU_OPERATOR(+)
  SOFTGPU_OPERATOR(-)
  SOFTGPU_OPERATOR(*)
  SOFTGPU_OPERATOR(/)
#undef SOFTGPU_OPERATOR
#define SOFTGPU_COMPARE(op)                                                    \
  friend bool operator op(Small a, Small b) { return a.f() op b.f(); }         \
  friend bool operator op(Small a, float b) { return a.f() op b; }             \
  friend bool operator op(float a, Small b) { return a op b.f(); }             \
  friend bool operator op(Small a, double b) { return a.f() op b; }            \
  friend bool operator op(double a, Small b) { return a op b.f(); }
  SOFTGPU_COMPARE(==)
  SOFTGPU_COMPARE(!=)
  SOFTGPU_COMPARE(<)
  SOFTGPU_COMPARE(<=)
  SOFTGPU_COMPARE(>)
  SOFTGPU_COMPARE(>=)
#undef SOFTGPU_COMPARE
  friend Small operator-(Small a) { return of(a.__x ^ 0x8000); }
  friend Small operator+(Small a) { return a; }

  friend Small __hadd(Small a, Small b) { return a + b; }
  friend Small __hsub(Small a, Small b) { return a - b; }
  friend Small __hmul(Small a, Small b) { return a * b; }
  friend Small __hdiv(Small a, Small b) { return a / b; }
  friend Small __hneg(Small a) { return -a; }
  friend Small __hfma(Small a, Small b, Small c) { return (double)a.f() * b.f() + c.f(); }
  friend Small __habs(Small a) { return of(a.__x & 0x7fff); }
  friend bool __hisnan(Small a) { return std::isnan(a.f()); }
  friend Small __hmax(Small a, Small b) { return fmaxf(a, b); }
  friend Small __hmin(Small a, Small b) { return fminf(a, b); }
  friend Small __hmax_nan(Small a, Small b) { return __hisnan(a) ? a : __hisnan(b) ? b : __hmax(a, b); }
  friend Small __hmin_nan(Small a, Small b) { return __hisnan(a) ? a : __hisnan(b) ? b : __hmin(a, b); }
  friend Small hsqrt(Small a) { return sqrtf(a); }
  friend Small hcos(Small a) { return cosf(a); }
  friend Small hsin(Small a) { return sinf(a); }
  friend Small hlog(Small a) { return logf(a); }
  friend Small hexp(Small a) { return expf(a); }
  friend Small hrcp(Small a) { return 1.f / a.f(); }
};

template <class T>
struct alignas(4) Pair {
  T x, y;
  friend Pair __hadd2(Pair a, Pair b) { return {a.x + b.x, a.y + b.y}; }
  friend Pair __hsub2(Pair a, Pair b) { return {a.x - b.x, a.y - b.y}; }
  friend Pair __hmul2(Pair a, Pair b) { return {a.x * b.x, a.y * b.y}; }
  friend Pair __h2div(Pair a, Pair b) { return {a.x / b.x, a.y / b.y}; }
  friend Pair __hfma2(Pair a, Pair b, Pair c) { return {__hfma(a.x, b.x, c.x), __hfma(a.y, b.y, c.y)}; }
  friend T __low2half(Pair a) { return a.x; }
  friend T __high2half(Pair a) { return a.y; }
};

}  // namespace softgpu

using __half = softgpu::Small<softgpu::F16>;
using half = __half;
using __half2 = softgpu::Pair<__half>;
using half2 = __half2;
using __nv_bfloat16 = softgpu::Small<softgpu::BF16>;
using nv_bfloat16 = __nv_bfloat16;
using __nv_bfloat162 = softgpu::Pair<__nv_bfloat16>;
using nv_bfloat162 = __nv_bfloat162;

static inline float __half2float(__half x) { return x; }
static inline __half __float2half(float x) { return x; }
static inline __half __float2half_rn(float x) { return x; }
static inline unsigned short __half_as_ushort(__half x) { return x.__x; }
static inline __half __ushort_as_half(unsigned short bits) { return __half::of(bits); }
static inline __half2 make_half2(__half x, __half y) { return {x, y}; }
static inline __half2 __floats2half2_rn(float x, float y) { return {x, y}; }
static inline __half2 __float22half2_rn(float2 p) { return {p.x, p.y}; }
static inline float2 __half22float2(__half2 p) { return {p.x, p.y}; }
static inline float __low2float(__half2 p) { return p.x; }
static inline float __high2float(__half2 p) { return p.y; }

static inline float __bfloat162float(__nv_bfloat16 x) { return x; }
static inline __nv_bfloat16 __float2bfloat16(float x) { return x; }
static inline __nv_bfloat16 __float2bfloat16_rn(float x) { return x; }
static inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 x) { return x.__x; }
static inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short bits) { return __nv_bfloat16::of(bits); }
static inline float2 __bfloat1622float2(__nv_bfloat162 p) { return {p.x, p.y}; }
