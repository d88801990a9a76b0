// Cross-entropy of rows of logits, and its gradient in the logits' place.
//
//   nll = ln(sum of exp(x - top)) + top - x[target],   d x = scale (exp(x - top) / sum - [target])
//
// x (rows, columns); a block has a row. It goes through a row once for its largest number and its sum together, because a
// row of a whole vocabulary does not stay in a cache, and a second time for the gradient.
//
// An f32 sum of a vocabulary's exponentials stagnates: here a thread sums some hundred of them, and threads are summed as a
// tree. The loss alone is put together in f64, by one thread a row: its two terms are larger than what is left of them.

#include "numbers.cuh"

constexpr unsigned LANES = 32, THREADS = 512, WARPS = THREADS / LANES;

// Sixteen bytes: what a thread reads and writes at once.
template <class T, int N>
struct alignas(N * sizeof(T)) Pack {
  T at[N];
};

// The largest of some numbers and the sum of exp(x - top) over them.
struct Exponentials {
  float top = -3.4028235e38f, sum = 0;  // not -inf: inf - inf is no number

  __device__ void raise(float other) {
    if (other > top) sum *= expf(top - other), top = other;
  }
};

__device__ inline Exponentials of_warp(Exponentials own) {
  float top = own.top;
  for (int bits = 16; bits; bits /= 2) top = fmaxf(top, __shfl_xor_sync(~0u, top, bits));
  own.raise(top);
  for (int bits = 16; bits; bits /= 2) own.sum += __shfl_xor_sync(~0u, own.sum, bits);
  return own;
}

// Every thread of the block gets all of it, summed in the same order.
__device__ inline Exponentials of_block(Exponentials own) {
  __shared__ float tops[WARPS], sums[WARPS];
  own = of_warp(own);
  if (threadIdx.x % LANES == 0) tops[threadIdx.x / LANES] = own.top, sums[threadIdx.x / LANES] = own.sum;
  __syncthreads();
  Exponentials all;
  for (unsigned warp = 0; warp < WARPS; warp++) all.top = fmaxf(all.top, tops[warp]);
  for (unsigned warp = 0; warp < WARPS; warp++) all.sum += sums[warp] * expf(tops[warp] - all.top);
  return all;
}

template <int N, class T>
__device__ Exponentials of_row(size_t columns, const T *row) {
  Exponentials own;
  for (size_t i = threadIdx.x * N; i < columns; i += THREADS * N) {
    Pack<T, N> x = *(const Pack<T, N> *)(row + i);
    float top = widen(x.at[0]), sum = 0;
#pragma unroll
    for (int j = 1; j < N; j++) top = fmaxf(top, widen(x.at[j]));
    own.raise(top);
#pragma unroll
    for (int j = 0; j < N; j++) sum += expf(widen(x.at[j]) - own.top);
    own.sum += sum;
  }
  return of_block(own);
}

__device__ inline float loss(Exponentials all, float at_target) {
  return (float)(log((double)all.sum) + ((double)all.top - (double)at_target));
}

template <int N, class T>
__device__ void nll(size_t columns, unsigned target, const T *row, float *to) {
  Exponentials all = of_row<N>(columns, row);
  if (threadIdx.x == 0) *to = loss(all, widen(row[target]));
}

template <int N, class T>
__device__ void gradient(size_t columns, float scale, unsigned target, T *row, float *to) {
  float at_target = widen(row[target]);  // before the barrier behind which it is overwritten
  Exponentials all = of_row<N>(columns, row);
  if (threadIdx.x == 0) *to = loss(all, at_target);
  float factor = scale / all.sum;
  for (size_t i = threadIdx.x * N; i < columns; i += THREADS * N) {
    Pack<T, N> x = *(const Pack<T, N> *)(row + i);
#pragma unroll
    for (int j = 0; j < N; j++) {
      float p = expf(widen(x.at[j]) - all.top) * factor;
      store(&x.at[j], i + j == target ? p - scale : p);
    }
    *(Pack<T, N> *)(row + i) = x;
  }
}

#define KERNELS(T, suffix)                                                                                     \
  extern "C" __global__ void __launch_bounds__(THREADS)                                                        \
      cross_entropy_##suffix(size_t columns, const unsigned *targets, const T *logits, float *to) {            \
    size_t row = blockIdx.x;                                                                                   \
    const T *x = logits + row * columns;                                                                       \
    if (columns % (16 / sizeof(T))) nll<1>(columns, targets[row], x, to + row);                                \
    else nll<16 / sizeof(T)>(columns, targets[row], x, to + row);                                              \
  }                                                                                                            \
  extern "C" __global__ void __launch_bounds__(THREADS) cross_entropy_gradient_##suffix(                       \
      size_t columns, float scale, const unsigned *targets, T *logits, float *to) {                            \
    size_t row = blockIdx.x;                                                                                   \
    T *x = logits + row * columns;                                                                             \
    if (columns % (16 / sizeof(T))) gradient<1>(columns, scale, targets[row], x, to + row);                    \
    else gradient<16 / sizeof(T)>(columns, scale, targets[row], x, to + row);                                  \
  }

KERNELS(float, f32)
KERNELS(bf16, bf16)
