// Causal softmax of attention's scores, and its gradient in the place of the probabilities' gradient.
//
//   P = softmax(scale S) over the keys up to the query's own token; 0 behind it, and 0 in all of a query that is padding
//   dS = scale P (dP - sum over keys of P dP)
//
// S, P, dP: (groups, grouped, keys). A group is a row of the batch and one of its key heads; its `grouped` queries are those
// of each query head in turn, `count` of them, of which query i is token first + i of its row; the rows' tokens begin at
// `offsets`, one more than rows.
// P is 0 in padding so that the backward products need no mask: what meets such a query is multiplied by 0.
//
// S is f32 also where P is bf16: rounding moves a score of 16 by up to 0.06, and its probability by 6 %. A P of f32 takes the
// place of S.
//
// A warp has a query: no shared memory and no barrier, and the same order of sums in every run.

#include "numbers.cuh"

constexpr unsigned LANES = 32;

// Numbers that a thread reads and writes at once.
template <class T, int N>
struct alignas(N * sizeof(T)) Pack {
  T at[N];
};

__device__ inline float warp_sum(float x) {
  for (int bits = 16; bits; bits /= 2) x += __shfl_xor_sync(~0u, x, bits);
  return x;
}

__device__ inline float warp_maximum(float x) {
  for (int bits = 16; bits; bits /= 2) x = fmaxf(x, __shfl_xor_sync(~0u, x, bits));
  return x;
}

struct Causal {
  unsigned grouped, keys, count, first, key_value;
  const unsigned *offsets;

  // The query of this warp within its group.
  __device__ unsigned query() const { return blockIdx.y * (blockDim.x / LANES) + threadIdx.x / LANES; }
  // Where its keys begin.
  __device__ size_t begin(unsigned query) const { return ((size_t)blockIdx.x * grouped + query) * keys; }
  // How many of them it sees.
  __device__ unsigned seen(unsigned query) const {
    unsigned token = first + query % count, row = blockIdx.x / key_value;
    return token < offsets[row + 1] - offsets[row] ? min(token + 1, keys) : 0;
  }
};

// What is behind `seen` is read with its pack and not used: `keys` is a multiple of N.
template <int N, class T>
__device__ void softmax(unsigned keys, unsigned seen, float scale, const float *row, T *to) {
  unsigned lane = threadIdx.x % LANES;
  float top = -3.4028235e38f, sum = 0;
  for (unsigned i = lane * N; i < seen; i += LANES * N) {
    Pack<float, N> s = *(const Pack<float, N> *)(row + i);
#pragma unroll
    for (int j = 0; j < N; j++)
      if (i + j < seen) top = fmaxf(top, s.at[j]);
  }
  top = warp_maximum(top);
  for (unsigned i = lane * N; i < seen; i += LANES * N) {
    Pack<float, N> s = *(const Pack<float, N> *)(row + i);
#pragma unroll
    for (int j = 0; j < N; j++)
      if (i + j < seen) sum += expf(scale * (s.at[j] - top));
  }
  float factor = 1 / warp_sum(sum);
  for (unsigned i = lane * N; i < keys; i += LANES * N) {
    Pack<float, N> s = {};
    Pack<T, N> p;
    if (i < seen) s = *(const Pack<float, N> *)(row + i);
#pragma unroll
    for (int j = 0; j < N; j++) store(&p.at[j], i + j < seen ? expf(scale * (s.at[j] - top)) * factor : 0);
    *(Pack<T, N> *)(to + i) = p;
  }
}

template <int N, class T>
__device__ void backward(unsigned keys, unsigned seen, float scale, const T *p, T *grad) {
  unsigned lane = threadIdx.x % LANES;
  float along = 0;
  for (unsigned i = lane * N; i < seen; i += LANES * N) {
    Pack<T, N> a = *(const Pack<T, N> *)(p + i), b = *(const Pack<T, N> *)(grad + i);
#pragma unroll
    for (int j = 0; j < N; j++)
      if (i + j < seen) along += widen(a.at[j]) * widen(b.at[j]);
  }
  along = warp_sum(along);
  for (unsigned i = lane * N; i < keys; i += LANES * N) {
    Pack<T, N> a = {}, b = {};
    if (i < seen) a = *(const Pack<T, N> *)(p + i), b = *(const Pack<T, N> *)(grad + i);
#pragma unroll
    for (int j = 0; j < N; j++)
      store(&b.at[j], i + j < seen ? scale * widen(a.at[j]) * (widen(b.at[j]) - along) : 0);
    *(Pack<T, N> *)(grad + i) = b;
  }
}

// A warp leaves or stays as a whole: its shuffles have all 32 lanes.
#define KERNELS(T, suffix)                                                                                     \
  extern "C" __global__ void causal_softmax_##suffix(unsigned grouped, unsigned keys, unsigned count,          \
                                                     unsigned first, unsigned key_value, float scale,          \
                                                     const unsigned *offsets, const float *scores, T *p) {     \
    Causal of{grouped, keys, count, first, key_value, offsets};                                                \
    unsigned query = of.query();                                                                               \
    if (query >= grouped) return;                                                                              \
    size_t row = of.begin(query);                                                                              \
    if (keys % 4) softmax<1>(keys, of.seen(query), scale, scores + row, p + row);                              \
    else softmax<4>(keys, of.seen(query), scale, scores + row, p + row);                                       \
  }                                                                                                            \
  extern "C" __global__ void causal_softmax_backward_##suffix(                                                 \
      unsigned grouped, unsigned keys, unsigned count, unsigned first, unsigned key_value, float scale,        \
      const unsigned *offsets, const T *p, T *grad) {                                                          \
    Causal of{grouped, keys, count, first, key_value, offsets};                                                \
    unsigned query = of.query();                                                                               \
    if (query >= grouped) return;                                                                              \
    size_t row = of.begin(query);                                                                              \
    if (keys % 4) backward<1>(keys, of.seen(query), scale, p + row, grad + row);                               \
    else backward<4>(keys, of.seen(query), scale, p + row, grad + row);                                        \
  }

KERNELS(float, f32)
KERNELS(bf16, bf16)
