// Kernels with planted faults, and the same without.
#include <cuda_runtime.h>

template <bool BARRIER>
__device__ void sum_of_block(const float *x, float *out, int n) {
  __shared__ float part[256];
  part[threadIdx.x] = threadIdx.x < n ? x[threadIdx.x] : 0.f;
  __syncthreads();
  for (int half = blockDim.x / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) part[threadIdx.x] += part[threadIdx.x + half];
    if (BARRIER) __syncthreads();
  }
  if (threadIdx.x == 0) *out = part[0];
}

extern "C" __global__ void sum(const float *x, float *out, int n) { sum_of_block<true>(x, out, n); }
extern "C" __global__ void sum_without_barrier(const float *x, float *out, int n) { sum_of_block<false>(x, out, n); }

extern "C" __global__ void copy_at(const float *x, float *out, int n, int offset) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = x[i + offset];
}

extern "C" __global__ void write_at(float *out, int index) { out[index] = 1.f; }

extern "C" __global__ void barrier_of_some(float *out) {
  if (threadIdx.x < 7) __syncthreads();
  else __syncwarp();
  out[threadIdx.x] = 1.f;
}

extern "C" __global__ void mask_without_caller(float *out) { out[threadIdx.x] = __shfl_down_sync(1u, 1.f, 1); }

// 0 where each step is rounded for itself, 2^-24 where the product is fused into the sum.
extern "C" __global__ void round_twice(float *out, float x, float minus) { *out = __fadd_rn(__fmul_rn(x, x), minus); }
