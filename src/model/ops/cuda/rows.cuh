// What kernels along the rows of a matrix share: numbers moved 16 bytes at a time, and sums over a block.
#pragma once

#include "numbers.cuh"

// COUNT numbers side by side, which a thread moves at once; 16 bytes are the most that one instruction moves.
template <class T, int COUNT>
struct alignas(sizeof(T) * COUNT < 16 ? sizeof(T) * COUNT : 16) Pack {
  T values[COUNT];

  __device__ float operator[](int i) const { return widen(values[i]); }
  __device__ void set(int i, float x) { store(&values[i], x); }
};

template <int COUNT, class T>
__device__ inline Pack<T, COUNT> load(const T *from) {
  return *reinterpret_cast<const Pack<T, COUNT> *>(from);
}

template <int COUNT, class T>
__device__ inline void store(T *to, const Pack<T, COUNT> &pack) {
  *reinterpret_cast<Pack<T, COUNT> *>(to) = pack;
}

// How many numbers 16 bytes hold.
template <class T>
constexpr int PACKED = 16 / sizeof(T);

// Whether 16 bytes can be moved at an address.
template <class T>
__device__ inline bool is_even(const T *x) {
  return (size_t)x % 16 == 0;
}

// Each of `sums` becomes its sum over the block's threads, the same bits in all of them, in an order that depends on nothing
// but the block's size, a multiple of 32. Once a kernel: a second call would need a barrier before it.
template <int COUNT>
__device__ inline void sum_over_block(float (&sums)[COUNT]) {
  __shared__ float parts[COUNT][32];
#pragma unroll
  for (int k = 0; k < COUNT; k++) {
#pragma unroll
    for (int lanes = 16; lanes > 0; lanes /= 2) sums[k] += __shfl_xor_sync(~0u, sums[k], lanes);
    if (threadIdx.x % 32 == 0) parts[k][threadIdx.x / 32] = sums[k];
  }
  __syncthreads();
#pragma unroll
  for (int k = 0; k < COUNT; k++) {
    sums[k] = parts[k][0];
    for (int warp = 1; warp < blockDim.x / 32; warp++) sums[k] += parts[k][warp];
  }
}
