// __nv_fp8_e4m3: 4 bits of exponent, 3 of fraction, no infinity; conversion saturates.
#pragma once
#include <cmath>
#include <cstdint>

#include "cuda_fp16.h"

enum softgpu_fp8_kind { __NV_E4M3, __NV_E5M2 };

namespace softgpu {

static inline float widen_e4m3(uint8_t bits) {
  int exponent = bits >> 3 & 15, fraction = bits & 7;
  float size = exponent == 15 && fraction == 7 ? NAN
               : exponent                      ? ldexpf(8 + fraction, exponent - 10)
                                               : ldexpf(fraction, -9);
  return bits & 128 ? -size : size;
}

static inline uint8_t round_e4m3(float x) {
  uint8_t sign = std::signbit(x) ? 128 : 0;
  float size = fabsf(x);
  if (std::isnan(size)) return sign | 127;
  if (size >= 464) return sign | 126;
  int exponent;
  frexpf(size, &exponent);
  int scale = (exponent - 1 < -6 ? -6 : exponent - 1) - 3;
  int eighths = (int)nearbyintf(ldexpf(size, -scale));  // 8 to 16, below 8 where the number is subnormal
  if (eighths < 8) return sign | eighths;
  // 16 eighths are the next exponent's 8: the carry does it.
  int bits = ((scale + 10) << 3) + (eighths - 8);
  return sign | (bits > 126 ? 126 : bits);
}

}  // namespace softgpu

struct __nv_fp8_e4m3 {
  uint8_t __x;
  __nv_fp8_e4m3() = default;
  template <class T>
  explicit __nv_fp8_e4m3(T x) : __x(softgpu::round_e4m3((float)x)) {}
  explicit operator float() const { return softgpu::widen_e4m3(__x); }
};

static inline __half_raw __nv_cvt_fp8_to_halfraw(uint8_t bits, int) {
  return {softgpu::F16::round(softgpu::widen_e4m3(bits))};
}
