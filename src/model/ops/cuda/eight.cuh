// Eight neighbouring weights of a matrix, which one thread dequantizes: what it reads is small beside what it writes, so the
// writes decide, and 16 bytes are the widest that a card has.
#pragma once
#include "numbers.cuh"

const int EIGHT = 8;

__device__ inline void store_eight(float *to, const float (&x)[EIGHT]) {
  ((float4 *)to)[0] = make_float4(x[0], x[1], x[2], x[3]);
  ((float4 *)to)[1] = make_float4(x[4], x[5], x[6], x[7]);
}

__device__ inline unsigned pair_of(float first, float second) {
  bf16 low, high;
  store(&low, first);
  store(&high, second);
  return low | (unsigned)high << 16;
}

__device__ inline void store_eight(bf16 *to, const float (&x)[EIGHT]) {
  *(uint4 *)to = make_uint4(pair_of(x[0], x[1]), pair_of(x[2], x[3]), pair_of(x[4], x[5]), pair_of(x[6], x[7]));
}

// Writes those of y[first], y[first + 1], ... that y has: all but the last eight of an odd count, in one or two stores where
// y begins at a multiple of 16 bytes. It does not where it follows a matrix of an odd count in a larger one.
template <class T>
__device__ inline void write_eight(T *y, size_t first, size_t count, const float (&x)[EIGHT]) {
  if (first + EIGHT <= count && ((size_t)y & 15) == 0) return store_eight(y + first, x);
#pragma unroll
  for (int k = 0; k < EIGHT; k++)
    if (first + k < count) store(&y[first + k], x[k]);
}
