// Numbers as kernels store them: f32, and bf16 as its bits, so that no header of CUDA's is needed and every compiler takes
// the same source. They are computed with as f32 and rounded once.
#pragma once

typedef unsigned short bf16;

__device__ inline float widen(float x) { return x; }
__device__ inline float widen(bf16 x) { return __uint_as_float((unsigned)x << 16); }

__device__ inline void store(float *to, float x) { *to = x; }
__device__ inline void store(bf16 *to, float x) {
  unsigned bits = __float_as_uint(x);
  // To the nearest, ties to even; a NaN stays one.
  *to = x != x ? 0x7fff : (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;
}
