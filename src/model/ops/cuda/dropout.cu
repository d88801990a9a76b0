// Dropout whose mask is a hash of the element's index: the CPU's own (mod.rs), so the same elements on every device.
//
// Products are made in f32 and rounded once: a factor of 1/0.95 that was itself rounded to bf16 would scale what remains by
// 1.0547 and not by 1.0526.

#include "numbers.cuh"

struct Mask {
  unsigned threshold;
  float scale;
  unsigned first_key, second_key;

  // Wellons' lowbias32, keyed twice.
  __device__ float factor(unsigned index) const {
    unsigned x = index ^ first_key;
    x = (x ^ (x >> 16)) * 0x7feb352du + second_key;
    x = (x ^ (x >> 15)) * 0x846ca68bu;
    x ^= x >> 16;
    return x < threshold ? 0.f : scale;
  }
};

// y = mask(x)
template <class T>
__device__ void dropout(size_t count, Mask mask, const T *x, T *y) {
  size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) store(&y[i], widen(x[i]) * mask.factor((unsigned)i));
}

// sum += mask(x): the product is not fused into the sum, as on the CPU.
template <class T>
__device__ void add_dropout(size_t count, Mask mask, const T *x, T *sum) {
  size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) store(&sum[i], __fadd_rn(widen(sum[i]), __fmul_rn(widen(x[i]), mask.factor((unsigned)i))));
}

#define KERNELS(T, suffix)                                                                                     \
  extern "C" __global__ void dropout_##suffix(size_t count, unsigned threshold, float scale, unsigned first,   \
                                              unsigned second, const T *x, T *y) {                             \
    dropout(count, Mask{threshold, scale, first, second}, x, y);                                               \
  }                                                                                                            \
  extern "C" __global__ void add_dropout_##suffix(size_t count, unsigned threshold, float scale,               \
                                                  unsigned first, unsigned second, const T *x, T *sum) {       \
    add_dropout(count, Mask{threshold, scale, first, second}, x, sum);                                         \
  }

KERNELS(float, f32)
KERNELS(bf16, bf16)
