// AdamW's update of one tensor in place, and the gradients' squares for the norm that clips them: train/optimizer.rs. All in
// f32, and in the update the CPU's own operations in their order, none fused: the same bits from the same gradient.
//
//   g = clip g;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
//   p = decay p - step m / (sqrt(v) correction + eps);  the gradient is 0 again

#include "numbers.cuh"

const int THREADS = 256, WARP = 32, WARPS = THREADS / WARP;
// Numbers of a block: a thread adds 64 of them, so that f32 is enough.
const size_t SHARE = 64 * THREADS;

// sums[block] = sum of x^2 over the block's share. What the blocks gave is added on the host, in f64 and in their order.
extern "C" __global__ void sum_of_squares(size_t count, const float *x, float *sums) {
  size_t begin = blockIdx.x * SHARE, end = count - begin < SHARE ? count : begin + SHARE;
  float sum = 0;
#pragma unroll 4
  for (size_t i = begin + threadIdx.x; i < end; i += THREADS) sum += x[i] * x[i];
  for (int distance = WARP / 2; distance > 0; distance /= 2) sum += __shfl_xor_sync(~0u, sum, distance);
  __shared__ float of_warp[WARPS];
  if (threadIdx.x % WARP == 0) of_warp[threadIdx.x / WARP] = sum;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int warp = 1; warp < WARPS; warp++) sum += of_warp[warp];
  sums[blockIdx.x] = sum;
}

extern "C" __global__ void adamw(size_t count, float clip, float beta1, float one_minus_beta1, float beta2,
                                 float one_minus_beta2, float decay, float step, float correction, float epsilon,
                                 float *gradient, float *first, float *second, float *value) {
  size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  float g = __fmul_rn(gradient[i], clip);
  float m = __fadd_rn(__fmul_rn(beta1, first[i]), __fmul_rn(one_minus_beta1, g));
  float v = __fadd_rn(__fmul_rn(beta2, second[i]), __fmul_rn(__fmul_rn(one_minus_beta2, g), g));
  float denominator = __fadd_rn(__fmul_rn(sqrtf(v), correction), epsilon);
  float change = __fmul_rn(step, m) / denominator;
  first[i] = m;
  second[i] = v;
  value[i] = __fadd_rn(__fmul_rn(value[i], decay), -change);
  gradient[i] = 0;
}
