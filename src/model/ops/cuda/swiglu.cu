// SwiGLU: y = silu(gate) up with silu(g) = g sigma(g), and its gradients d gate = g u (sigma + silu (1 - sigma)) and
// d up = g silu, which take the places of gate and up.
//
// gate_up (N, 2 width) holds gate and up side by side; y, grad_y (N, width). The grid is rows times parts of a row.

#include "rows.cuh"

__device__ inline float sigmoid(float x) { return 1.f / (1.f + expf(-x)); }

template <int COUNT, class T>
__device__ inline void swiglu(unsigned width, const T *gate, const T *up, T *y) {
  const unsigned first = (blockIdx.y * blockDim.x + threadIdx.x) * COUNT, step = gridDim.y * blockDim.x * COUNT;
  for (unsigned i = first; i < width; i += step) {
    auto gates = load<COUNT>(gate + i), ups = load<COUNT>(up + i);
#pragma unroll
    for (int k = 0; k < COUNT; k++) ups.set(k, gates[k] * ups[k] * sigmoid(gates[k]));
    store<COUNT>(y + i, ups);
  }
}

template <int COUNT, class T>
__device__ inline void swiglu_backward(unsigned width, const T *grad_y, T *gate, T *up) {
  const unsigned first = (blockIdx.y * blockDim.x + threadIdx.x) * COUNT, step = gridDim.y * blockDim.x * COUNT;
  for (unsigned i = first; i < width; i += step) {
    auto gates = load<COUNT>(gate + i), ups = load<COUNT>(up + i), grads = load<COUNT>(grad_y + i);
#pragma unroll
    for (int k = 0; k < COUNT; k++) {
      const float g = gates[k], u = ups[k], sigma = sigmoid(g), silu = g * sigma;
      gates.set(k, grads[k] * u * (sigma + silu * (1.f - sigma)));
      ups.set(k, grads[k] * silu);
    }
    store<COUNT>(gate + i, gates);
    store<COUNT>(up + i, ups);
  }
}

#define KERNELS(T, suffix)                                                                        \
  extern "C" __global__ void swiglu_##suffix(unsigned width, const T *gate_up, T *y) {            \
    const T *gate = gate_up + (size_t)blockIdx.x * 2 * width;                                     \
    y += (size_t)blockIdx.x * width;                                                              \
    if (width % PACKED<T> == 0 && is_even(gate) && is_even(y))                                    \
      swiglu<PACKED<T>>(width, gate, gate + width, y);                                            \
    else                                                                                          \
      swiglu<1>(width, gate, gate + width, y);                                                    \
  }                                                                                               \
  extern "C" __global__ void swiglu_backward_##suffix(unsigned width, const T *grad_y, T *gate_up) { \
    T *gate = gate_up + (size_t)blockIdx.x * 2 * width;                                           \
    grad_y += (size_t)blockIdx.x * width;                                                         \
    if (width % PACKED<T> == 0 && is_even(gate) && is_even(grad_y))                               \
      swiglu_backward<PACKED<T>>(width, grad_y, gate, gate + width);                              \
    else                                                                                          \
      swiglu_backward<1>(width, grad_y, gate, gate + width);                                      \
  }

KERNELS(float, f32)
KERNELS(bf16, bf16)
