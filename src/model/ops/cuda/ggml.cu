// GGML's blocks to f32 or bf16, the bits of the CPU's forms (files/ggml.rs, for Q4_K candle's), rounded once for bf16:
//
//   Q4_0  x = (q - 8) d       32 weights: d, 16 bytes of two q; the low halves are the block's first 16 weights
//   Q4_1  x = q d + m         32 weights: d, m, 16 bytes of two q
//   Q8_0  x = q d             32 weights: d, 32 bytes of a signed q
//   Q4_K  x = q (d s) - b t   256 weights: d, b, 12 bytes of 8 s and 8 t in 6 bits each, 128 bytes of two q; of each 32
//                             bytes the low halves are 32 weights and the high ones the next 32, with an s and a t each
//
// d, m and b are f16. Every product here is exact in f32 (11 + 6 + 4 bits at most), so that a fused sum has the same bits.
// candle has kernels like these to f32; a bf16 model would write f32, read it and write bf16: 10 bytes a weight instead of 2.

#include "eight.cuh"

// Blocks are read by two bytes: no type's size is a multiple of more than that in all of them.
typedef unsigned short Word;

__device__ inline float widen_half(Word h) {
  // The exponent's bias is moved by a product, which also makes subnormal numbers normal.
  unsigned magnitude = (h & 0x7fffu) << 13;
  unsigned bits = __float_as_uint(__uint_as_float(magnitude) * 5.192296858534828e33f); // 2^112
  if (magnitude >= 0x7c00u << 13) bits |= 0x7f800000u; // infinite, or none
  return __uint_as_float(bits | (h & 0x8000u) << 16);
}

// Half a byte of each of the eight bytes at `bytes`, the low one where `shift` is 0, the high one where it is 4.
__device__ inline void nibbles(const Word *bytes, unsigned shift, float (&q)[EIGHT]) {
#pragma unroll
  for (int k = 0; k < EIGHT; k += 2) {
    unsigned two = bytes[k / 2] >> shift;
    q[k] = (float)(two & 15);
    q[k + 1] = (float)(two >> 8 & 15);
  }
}

// Each type: its block in words, its weights, and the eight weights from 8 `part` on of a block.

struct Q4_0 {
  static const int WORDS = 9, PARTS = 4;

  static __device__ void read(const Word *block, unsigned part, float (&x)[EIGHT]) {
    float d = widen_half(block[0]);
    nibbles(block + 1 + part % 2 * 4, part / 2 * 4, x);
#pragma unroll
    for (int k = 0; k < EIGHT; k++) x[k] = (x[k] - 8) * d;
  }
};

struct Q4_1 {
  static const int WORDS = 10, PARTS = 4;

  static __device__ void read(const Word *block, unsigned part, float (&x)[EIGHT]) {
    float d = widen_half(block[0]), m = widen_half(block[1]);
    nibbles(block + 2 + part % 2 * 4, part / 2 * 4, x);
#pragma unroll
    for (int k = 0; k < EIGHT; k++) x[k] = x[k] * d + m;
  }
};

struct Q8_0 {
  static const int WORDS = 17, PARTS = 4;

  static __device__ void read(const Word *block, unsigned part, float (&x)[EIGHT]) {
    float d = widen_half(block[0]);
#pragma unroll
    for (int k = 0; k < EIGHT; k += 2) {
      unsigned two = block[1 + part * 4 + k / 2];
      x[k] = (float)(signed char)(two & 255) * d;
      x[k + 1] = (float)(signed char)(two >> 8) * d;
    }
  }
};

struct Q4_K {
  static const int WORDS = 72, PARTS = 32;

  static __device__ void read(const Word *block, unsigned part, float (&x)[EIGHT]) {
    unsigned group = part / 4, scale, least; // of 32 weights
    const unsigned char *packed = (const unsigned char *)(block + 2);
    if (group < 4) {
      scale = packed[group] & 63;
      least = packed[group + 4] & 63;
    } else {
      scale = (packed[group + 4] & 15) | packed[group - 4] >> 6 << 4;
      least = packed[group + 4] >> 4 | packed[group] >> 6 << 4;
    }
    float d = widen_half(block[0]) * (float)scale, m = widen_half(block[1]) * (float)least;
    nibbles(block + 8 + group / 2 * 16 + part % 4 * 4, group % 2 * 4, x);
#pragma unroll
    for (int k = 0; k < EIGHT; k++) x[k] = d * x[k] - m;
  }
};

// count weights, whole blocks
template <class B, class T>
__device__ void dequantize(size_t count, const Word *blocks, T *y) {
  size_t eight = (size_t)blockIdx.x * blockDim.x + threadIdx.x, first = EIGHT * eight;
  if (first >= count) return;
  float x[EIGHT];
  B::read(blocks + eight / B::PARTS * B::WORDS, (unsigned)(eight % B::PARTS), x);
  write_eight(y, first, count, x);
}

#define KERNEL(B, name, T, suffix)                                                                    \
  extern "C" __global__ void name##_##suffix(size_t count, const Word *blocks, T *y) {                \
    dequantize<B>(count, blocks, y);                                                                  \
  }
#define KERNELS(B, name)       \
  KERNEL(B, name, float, f32)  \
  KERNEL(B, name, bf16, bf16)

KERNELS(Q4_0, q4_0)
KERNELS(Q4_1, q4_1)
KERNELS(Q8_0, q8_0)
KERNELS(Q4_K, q4_k)
