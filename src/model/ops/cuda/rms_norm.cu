// RMSNorm, a block a row: y = s w x with s = 1 / sqrt(mean(x^2) + eps), and its gradient dx = s (w g - x s^2 mean(w g x)).
//
// Also of a sum x + y that takes x's place. x, y, grad_x, grad_y (N, width), weight (width). A row is read twice, the second time from the cache.

#include "rows.cuh"

template <int COUNT, class T>
__device__ inline void rms_norm(unsigned width, float eps, const T *x, const T *weight, T *y) {
  const unsigned first = threadIdx.x * COUNT, step = blockDim.x * COUNT;
  float sums[1] = {0.f};
  for (unsigned i = first; i < width; i += step) {
    auto numbers = load<COUNT>(x + i);
#pragma unroll
    for (int k = 0; k < COUNT; k++) sums[0] += numbers[k] * numbers[k];
  }
  sum_over_block(sums);
  const float scale = 1.f / sqrtf(sums[0] / width + eps);
  for (unsigned i = first; i < width; i += step) {
    auto numbers = load<COUNT>(x + i), weights = load<COUNT>(weight + i);
#pragma unroll
    for (int k = 0; k < COUNT; k++) numbers.set(k, numbers[k] * scale * weights[k]);
    store<COUNT>(y + i, numbers);
  }
}

// x += y: a thread reads again what it wrote itself, so that the norm of the sum needs no barrier before it.
template <int COUNT, class T>
__device__ inline void add(unsigned width, const T *y, T *x) {
  for (unsigned i = threadIdx.x * COUNT; i < width; i += blockDim.x * COUNT) {
    auto sum = load<COUNT>(x + i), numbers = load<COUNT>(y + i);
#pragma unroll
    for (int k = 0; k < COUNT; k++) sum.set(k, sum[k] + numbers[k]);
    store<COUNT>(x + i, sum);
  }
}

template <int COUNT, class T>
__device__ inline void rms_norm_of_sum(unsigned width, float eps, T *x, const T *weight, const T *y, T *normed) {
  add<COUNT>(width, y, x);
  rms_norm<COUNT>(width, eps, x, weight, normed);
}

// grad_x += dx
template <int COUNT, class T>
__device__ inline void add_rms_norm_backward(unsigned width, float eps, const T *x, const T *weight, const T *grad_y,
                                             T *grad_x) {
  const unsigned first = threadIdx.x * COUNT, step = blockDim.x * COUNT;
  float sums[2] = {0.f, 0.f};  // of x^2 and of w g x
  for (unsigned i = first; i < width; i += step) {
    auto numbers = load<COUNT>(x + i), weights = load<COUNT>(weight + i), grads = load<COUNT>(grad_y + i);
#pragma unroll
    for (int k = 0; k < COUNT; k++) {
      sums[0] += numbers[k] * numbers[k];
      sums[1] += grads[k] * weights[k] * numbers[k];
    }
  }
  sum_over_block(sums);
  const float scale = 1.f / sqrtf(sums[0] / width + eps), along = sums[1] * scale * scale / width;
  for (unsigned i = first; i < width; i += step) {
    auto numbers = load<COUNT>(x + i), weights = load<COUNT>(weight + i), grads = load<COUNT>(grad_y + i);
    auto sum = load<COUNT>(grad_x + i);
#pragma unroll
    for (int k = 0; k < COUNT; k++) {
      sum.set(k, sum[k] + scale * (grads[k] * weights[k] - numbers[k] * along));
    }
    store<COUNT>(grad_x + i, sum);
  }
}

#define KERNELS(T, suffix)                                                                                        \
  extern "C" __global__ void rms_norm_##suffix(unsigned width, float eps, const T *x, const T *weight, T *y) {    \
    const size_t row = (size_t)blockIdx.x * width;                                                                \
    if (width % PACKED<T> == 0 && is_even(x) && is_even(weight) && is_even(y))                                    \
      rms_norm<PACKED<T>>(width, eps, x + row, weight, y + row);                                                  \
    else                                                                                                          \
      rms_norm<1>(width, eps, x + row, weight, y + row);                                                          \
  }                                                                                                               \
  extern "C" __global__ void rms_norm_of_sum_##suffix(unsigned width, float eps, T *x, const T *weight, const T *y, \
                                                      T *normed) {                                                \
    const size_t row = (size_t)blockIdx.x * width;                                                                \
    if (width % PACKED<T> == 0 && is_even(x) && is_even(weight) && is_even(y) && is_even(normed))                 \
      rms_norm_of_sum<PACKED<T>>(width, eps, x + row, weight, y + row, normed + row);                             \
    else                                                                                                          \
      rms_norm_of_sum<1>(width, eps, x + row, weight, y + row, normed + row);                                     \
  }                                                                                                               \
  extern "C" __global__ void add_rms_norm_backward_##suffix(unsigned width, float eps, const T *x,                \
                                                            const T *weight, const T *grad_y, T *grad_x) {        \
    const size_t row = (size_t)blockIdx.x * width;                                                                \
    if (width % PACKED<T> == 0 && is_even(x) && is_even(weight) && is_even(grad_y) && is_even(grad_x))            \
      add_rms_norm_backward<PACKED<T>>(width, eps, x + row, weight, grad_y + row, grad_x + row);                  \
    else                                                                                                          \
      add_rms_norm_backward<1>(width, eps, x + row, weight, grad_y + row, grad_x + row);                          \
  }

KERNELS(float, f32)
KERNELS(bf16, bf16)
