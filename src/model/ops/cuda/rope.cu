// Rotary position embedding in place: a pair (p, q) of the two halves of a head becomes (p cos - q sin, q cos + p sin);
// with sign -1 it is turned back, which is the gradient.
//
// x (N, width), of which the first heads x 2 half columns are turned; places (N) of each row's angles in
// cosines, sines (P, half) in f32. The grid is rows times parts of a row.

#include "rows.cuh"

template <int COUNT, class T>
__device__ inline void rope(unsigned heads, unsigned half, float sign, const float *cosines, const float *sines, T *x) {
  const unsigned packs = half / COUNT;  // of half a head
  const unsigned first = blockIdx.y * blockDim.x + threadIdx.x, step = gridDim.y * blockDim.x;
  for (unsigned pack = first; pack < heads * packs; pack += step) {
    const unsigned head = pack / packs, i = pack % packs * COUNT;
    T *at = x + (size_t)head * 2 * half + i;
    auto p = load<COUNT>(at), q = load<COUNT>(at + half);
    const auto cosine = load<COUNT>(cosines + i), sine = load<COUNT>(sines + i);
#pragma unroll
    for (int k = 0; k < COUNT; k++) {
      const float from = p[k], to = q[k], turn = sign * sine[k];
      p.set(k, from * cosine[k] - to * turn);
      q.set(k, to * cosine[k] + from * turn);
    }
    store<COUNT>(at, p);
    store<COUNT>(at + half, q);
  }
}

#define KERNELS(T, suffix)                                                                                        \
  extern "C" __global__ void rope_##suffix(unsigned width, unsigned heads, unsigned half, float sign,             \
                                           const float *cosines, const float *sines, const unsigned *places,      \
                                           T *x) {                                                                \
    const size_t angles = (size_t)places[blockIdx.x] * half;                                                      \
    cosines += angles, sines += angles, x += (size_t)blockIdx.x * width;                                          \
    if (half % PACKED<T> == 0 && is_even(x) && is_even(cosines) && is_even(sines))                                \
      rope<PACKED<T>>(heads, half, sign, cosines, sines, x);                                                      \
    else                                                                                                          \
      rope<1>(heads, half, sign, cosines, sines, x);                                                              \
  }

KERNELS(float, f32)
KERNELS(bf16, bf16)
