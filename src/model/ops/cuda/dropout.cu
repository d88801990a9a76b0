// Dropout whose masks are hashes of the element's index: the CPU's own (mod.rs), so the same elements on every device.
//
//   y_j = mask_j(x)             sum += mask_1(x_1) + mask_2(x_2) + ...
//
// with up to three masks j in one launch, of projections that share their input: it is read once, and the sum rounded once.
//
// Products are made in f32 and rounded once: a factor of 1/0.95 that was itself rounded to bf16 would scale what remains by
// 1.0547 and not by 1.0526.

#include "rows.cuh"

const int NUMBERS = 8;

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

// COUNT numbers from `i` on.
template <int COUNT, class T>
__device__ inline void drop(size_t i, Mask mask, const Pack<T, COUNT> &numbers, T *y) {
  Pack<T, COUNT> seen;
#pragma unroll
  for (int k = 0; k < COUNT; k++) seen.set(k, numbers[k] * mask.factor((unsigned)(i + k)));
  store<COUNT>(y + i, seen);
}

// The product is not fused into the sum, as on the CPU.
template <int COUNT, class T>
__device__ inline void add(size_t i, Mask mask, const T *x, float (&sums)[COUNT]) {
  auto numbers = load<COUNT>(x + i);
#pragma unroll
  for (int k = 0; k < COUNT; k++) {
    sums[k] = __fadd_rn(sums[k], __fmul_rn(numbers[k], mask.factor((unsigned)(i + k))));
  }
}

template <int COUNT, class T>
__device__ inline void dropout(size_t i, unsigned masks, const Mask (&of)[3], const T *x, T *first, T *second, T *third) {
  auto numbers = load<COUNT>(x + i);
  drop<COUNT>(i, of[0], numbers, first);
  if (masks > 1) drop<COUNT>(i, of[1], numbers, second);
  if (masks > 2) drop<COUNT>(i, of[2], numbers, third);
}

template <int COUNT, class T>
__device__ inline void add_dropout(size_t i, unsigned masks, const Mask (&of)[3], T *sum, const T *first, const T *second,
                                   const T *third) {
  auto numbers = load<COUNT>(sum + i);
  float sums[COUNT];
#pragma unroll
  for (int k = 0; k < COUNT; k++) sums[k] = numbers[k];
  add<COUNT>(i, of[0], first, sums);
  if (masks > 1) add<COUNT>(i, of[1], second, sums);
  if (masks > 2) add<COUNT>(i, of[2], third, sums);
#pragma unroll
  for (int k = 0; k < COUNT; k++) numbers.set(k, sums[k]);
  store<COUNT>(sum + i, numbers);
}

// A thread has NUMBERS neighbouring elements: at once where all of them are there and 16 bytes can be moved, else one by one.
#define KERNEL(NAME, SHARED, EACH, suffix)                                                                            \
  extern "C" __global__ void NAME##_##suffix(size_t count, unsigned masks, unsigned threshold, float scale,           \
                                             unsigned a, unsigned b, unsigned c, unsigned d, unsigned e, unsigned f,  \
                                             SHARED *shared, EACH *first, EACH *second, EACH *third) {                \
    const Mask of[3] = {{threshold, scale, a, b}, {threshold, scale, c, d}, {threshold, scale, e, f}};                \
    const size_t i = ((size_t)blockIdx.x * blockDim.x + threadIdx.x) * NUMBERS;                                       \
    if (i + NUMBERS <= count && is_even(shared) && is_even(first) && is_even(second) && is_even(third))               \
      return NAME<NUMBERS>(i, masks, of, shared, first, second, third);                                               \
    for (size_t k = i; k < i + NUMBERS && k < count; k++) NAME<1>(k, masks, of, shared, first, second, third);        \
  }

KERNEL(dropout, const float, float, f32)
KERNEL(dropout, const bf16, bf16, bf16)
KERNEL(add_dropout, float, const float, f32)
KERNEL(add_dropout, bf16, const bf16, bf16)
