// Between packed tokens, (N, heads x width), and heads apart with rows of one length, (rows, heads, longest, width).
//
//   split: part[row][head][i] = packed[offsets[row] + i][head], and 0 behind the row's end
//   join:  the other way; padding goes nowhere
//
// `packed` has the heads of up to three parts side by side: queries, keys, values; all are moved in one launch. A block has a
// token of the grid.

#include "numbers.cuh"

template <class T, int N>
struct alignas(N * sizeof(T)) Pack {
  T at[N];
};

struct Grid {
  unsigned longest, query, key_value, width;
  const unsigned *offsets;

  __device__ unsigned columns() const { return (query + 2 * key_value) * width; }
};

// The place of this block's token in the grid, and where column `at` of it lies in its part.
template <class T>
struct Token {
  Grid of;
  T *q, *k, *v;
  unsigned row = blockIdx.x / of.longest, i = blockIdx.x % of.longest;

  __device__ bool is_real() const { return i < of.offsets[row + 1] - of.offsets[row]; }
  __device__ size_t begin() const { return ((size_t)of.offsets[row] + i) * of.columns(); }
  __device__ T *place(unsigned at) const {
    unsigned head = at / of.width, heads = head < of.query ? of.query : of.key_value;
    T *part = q;
    if (head >= of.query) {
      head -= of.query, part = k;
      if (head >= of.key_value) head -= of.key_value, part = v;
    }
    return part + (((size_t)row * heads + head) * of.longest + i) * of.width + at % of.width;
  }
};

template <int N, class T>
__device__ void split(Token<T> token, const T *packed) {
  bool is_real = token.is_real();
  for (unsigned at = threadIdx.x * N; at < token.of.columns(); at += blockDim.x * N) {
    Pack<T, N> x = {};
    if (is_real) x = *(const Pack<T, N> *)(packed + token.begin() + at);
    *(Pack<T, N> *)token.place(at) = x;
  }
}

template <int N, class T>
__device__ void join(Token<const T> token, T *packed) {
  if (!token.is_real()) return;
  for (unsigned at = threadIdx.x * N; at < token.of.columns(); at += blockDim.x * N)
    *(Pack<T, N> *)(packed + token.begin() + at) = *(const Pack<T, N> *)token.place(at);
}

// A head whose width is no multiple of 16 bytes is moved number by number.
#define KERNELS(T, suffix)                                                                                     \
  extern "C" __global__ void split_##suffix(unsigned longest, unsigned query, unsigned key_value,              \
                                            unsigned width, const unsigned *offsets, const T *packed, T *q,    \
                                            T *k, T *v) {                                                      \
    Token<T> token{{longest, query, key_value, width, offsets}, q, k, v};                                      \
    if (width % (16 / sizeof(T))) split<1>(token, packed);                                                     \
    else split<16 / sizeof(T)>(token, packed);                                                                 \
  }                                                                                                            \
  extern "C" __global__ void join_##suffix(unsigned longest, unsigned query, unsigned key_value,               \
                                           unsigned width, const unsigned *offsets, const T *q, const T *k,    \
                                           const T *v, T *packed) {                                            \
    Token<const T> token{{longest, query, key_value, width, offsets}, q, k, v};                                \
    if (width % (16 / sizeof(T))) join<1>(token, packed);                                                      \
    else join<16 / sizeof(T)>(token, packed);                                                                  \
  }

KERNELS(float, f32)
KERNELS(bf16, bf16)
