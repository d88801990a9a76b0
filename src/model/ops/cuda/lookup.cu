// Rows by their places: y_i = x_{places_i}; x (P, width), places (N) below P, y (N, width). The grid is rows times parts of a
// row.

#include "rows.cuh"

template <int COUNT, class T>
__device__ inline void lookup(unsigned width, const T *x, T *y) {
  const unsigned first = blockIdx.y * blockDim.x + threadIdx.x, step = gridDim.y * blockDim.x;
  for (unsigned pack = first; pack < width / COUNT; pack += step) store<COUNT>(y + pack * COUNT, load<COUNT>(x + pack * COUNT));
}

#define KERNELS(T, suffix)                                                                                        \
  extern "C" __global__ void lookup_##suffix(unsigned width, const unsigned *places, const T *x, T *y) {          \
    x += (size_t)places[blockIdx.x] * width, y += (size_t)blockIdx.x * width;                                     \
    if (width % PACKED<T> == 0 && is_even(x) && is_even(y))                                                       \
      lookup<PACKED<T>>(width, x, y);                                                                             \
    else                                                                                                          \
      lookup<1>(width, x, y);                                                                                     \
  }

KERNELS(float, f32)
KERNELS(bf16, bf16)
