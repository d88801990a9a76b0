// NF4 to f32 or bf16, the bits of the CPU's `Nf4::write`, rounded once for bf16:
//
//   y[i] = codebook[code i] scale[i / 64]
//   scale[b] = map[scale code b] nested[b / 256] + offset    under double quantization
//
// count weights; two codes a byte, the first in the high half; the codes are filled up to whole blocks of 64. The last number
// of a pair of weights by its byte is that of its low half: the first 16 such pairs hold the codebook.

#include "eight.cuh"

const int BLOCK = 64, SCALE_BLOCK = 256;

struct PlainScales {
  const float *scales;

  __device__ float scale(size_t block) const { return scales[block]; }
};

struct DoubleScales {
  const unsigned char *codes;
  const float *map, *nested;
  float offset;

  // Not fused, as on the CPU.
  __device__ float scale(size_t block) const {
    return __fadd_rn(__fmul_rn(map[codes[block]], nested[block / SCALE_BLOCK]), offset);
  }
};

template <class S, class T>
__device__ void dequantize(size_t count, const unsigned char *codes, const float *pairs, S scales, T *y) {
  // A bank of its own for each value: 32 threads look up 32 codes at once.
  __shared__ float codebook[16];
  if (threadIdx.x < 16) codebook[threadIdx.x] = pairs[2 * threadIdx.x + 1];
  __syncthreads();
  size_t eight = (size_t)blockIdx.x * blockDim.x + threadIdx.x, first = EIGHT * eight;
  if (first >= count) return;
  unsigned packed = ((const unsigned *)codes)[eight]; // the first weight's byte is the lowest
  float scale = scales.scale(first / BLOCK);
  float x[EIGHT];
#pragma unroll
  for (int k = 0; k < EIGHT; k += 2) {
    x[k] = codebook[packed >> (4 * k + 4) & 15] * scale;
    x[k + 1] = codebook[packed >> 4 * k & 15] * scale;
  }
  write_eight(y, first, count, x);
}

#define KERNELS(T, suffix)                                                                                        \
  extern "C" __global__ void nf4_##suffix(size_t count, const unsigned char *codes, const float *pairs,           \
                                          const float *scales, T *y) {                                            \
    dequantize(count, codes, pairs, PlainScales{scales}, y);                                                      \
  }                                                                                                               \
  extern "C" __global__ void nf4_double_##suffix(size_t count, const unsigned char *codes, const float *pairs,    \
                                                 const unsigned char *scale_codes, const float *map,              \
                                                 const float *nested, float offset, T *y) {                       \
    dequantize(count, codes, pairs, DoubleScales{scale_codes, map, nested, offset}, y);                           \
  }

KERNELS(float, f32)
KERNELS(bf16, bf16)
