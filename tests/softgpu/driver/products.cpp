// cuBLAS: matrix products, column-major, with sums in f32 (f64 for f64) and one rounding at the end.
//
// Panels of the two operands are packed as f32; a tile of C stays in registers over 256 steps of k. Each element is
// summed by one thread in one order: the same bytes on any number of cores.
#include <algorithm>
#include <cstdio>

#include "../device/intrinsics.h"
#include "../device/cuda_fp16.h"
#include "machine.h"

namespace softgpu {

enum Type { F32 = 0, F64 = 1, HALF = 2, BFLOAT = 14 };
enum { COMPUTE_16F = 64, COMPUTE_32F = 68, COMPUTE_64F = 70 };

struct Matrix {
  const void* data;
  int type;
  size_t leading;
  bool transposed;
  size_t at(size_t row, size_t column) const { return transposed ? row * leading + column : column * leading + row; }
};

static size_t width(int type) { return type == F64 ? 8 : type == F32 ? 4 : 2; }

template <int TYPE>
static inline float load(const void* data, size_t i) {
  if constexpr (TYPE == F32) return ((const float*)data)[i];
  else return (TYPE == BFLOAT ? BF16::widen : F16::widen)(((const uint16_t*)data)[i]);
}

static float load(const void* data, int type, size_t i) {
  return type == F32 ? load<F32>(data, i) : type == BFLOAT ? load<BFLOAT>(data, i) : load<HALF>(data, i);
}

static void store(void* data, int type, size_t i, float x) {
  if (type == F32) ((float*)data)[i] = x;
  else ((uint16_t*)data)[i] = type == BFLOAT ? BF16::round(x) : F16::round(x);
}

constexpr size_t WIDTH = 8, ROWS = 2 * WIDTH, COLUMNS = 6, DEPTH = 256;
typedef float Vector __attribute__((vector_size(WIDTH * 4), aligned(4)));

// c += a b for a tile of ROWS x COLUMNS: a is depth x ROWS, b is depth x COLUMNS.
static void tile(size_t depth, const float* a, const float* b, float* c, size_t leading) {
  Vector sum[COLUMNS][2] = {};
  for (size_t p = 0; p < depth; p++, a += ROWS, b += COLUMNS) {
    Vector low = *(const Vector*)a, high = *(const Vector*)(a + WIDTH);
#pragma GCC unroll 6
    for (size_t j = 0; j < COLUMNS; j++) sum[j][0] += low * b[j], sum[j][1] += high * b[j];
  }
  for (size_t j = 0; j < COLUMNS; j++) {
    *(Vector*)(c + j * leading) += sum[j][0];
    *(Vector*)(c + j * leading + WIDTH) += sum[j][1];
  }
}

// Steps [from, from + depth) of k for BLOCK rows of A or columns of B beginning at `first`, zeros behind the end:
// element (step, i) lies at step * along + i * across.
template <int TYPE, size_t BLOCK>
static void pack(float* to, const void* data, size_t depth, size_t count, size_t along, size_t across) {
  for (size_t p = 0; p < depth; p++, to += BLOCK)
    for (size_t i = 0; i < BLOCK; i++) to[i] = i < count ? load<TYPE>(data, p * along + i * across) : 0;
}

template <size_t BLOCK>
static void pack(float* to, int type, const void* data, size_t first, size_t depth, size_t count, size_t along,
                 size_t across) {
  data = (const char*)data + first * width(type);
  auto with = type == F32 ? pack<F32, BLOCK> : type == BFLOAT ? pack<BFLOAT, BLOCK> : pack<HALF, BLOCK>;
  with(to, data, depth, count, along, across);
}

struct Sizes {
  size_t m, n, k;
};

// The product alone, in f32, in tiles: column j of C starts at j * leading.
static const float* multiply(Sizes size, Matrix a, Matrix b, size_t& leading) {
  static std::vector<float> sum, panels_a, panels_b;
  size_t rows = (size.m + ROWS - 1) / ROWS, columns = (size.n + COLUMNS - 1) / COLUMNS;
  leading = rows * ROWS;
  sum.assign(leading * columns * COLUMNS, 0);
  for (size_t from = 0; from < size.k; from += DEPTH) {
    size_t depth = std::min(DEPTH, size.k - from);
    panels_a.resize(rows * ROWS * depth), panels_b.resize(columns * COLUMNS * depth);
    float *pa = panels_a.data(), *pb = panels_b.data(), *c = sum.data();
    bool large = size.m * size.n * depth > 4000000;
#pragma omp parallel if (large)
    {
#pragma omp for
      for (size_t i = 0; i < rows; i++)
        pack<ROWS>(pa + i * ROWS * depth, a.type, a.data, a.at(i * ROWS, from), depth, size.m - i * ROWS, a.at(0, 1),
                   a.at(1, 0));
#pragma omp for
      for (size_t j = 0; j < columns; j++)
        pack<COLUMNS>(pb + j * COLUMNS * depth, b.type, b.data, b.at(from, j * COLUMNS), depth, size.n - j * COLUMNS,
                      b.at(1, 0), b.at(0, 1));
#pragma omp for schedule(dynamic)
      for (size_t j = 0; j < columns; j++)
        for (size_t i = 0; i < rows; i++)
          tile(depth, pa + i * ROWS * depth, pb + j * COLUMNS * depth, c + j * COLUMNS * leading + i * ROWS, leading);
    }
  }
  return sum.data();
}

static void product_f32(Sizes size, float alpha, Matrix a, Matrix b, float beta, void* c, int type, size_t leading) {
  size_t of_sum;
  const float* sum = multiply(size, a, b, of_sum);
  for (size_t j = 0; j < size.n; j++)
    for (size_t i = 0; i < size.m; i++) {
      float x = alpha * sum[j * of_sum + i];
      if (beta != 0) x += beta * load(c, type, j * leading + i);  // C is not read where beta is 0: it may be NaN
      store(c, type, j * leading + i, x);
    }
}

static void product_f64(Sizes size, double alpha, Matrix a, Matrix b, double beta, double* c, size_t leading) {
  for (size_t j = 0; j < size.n; j++)
    for (size_t i = 0; i < size.m; i++) {
      double sum = 0, &to = c[j * leading + i];
      for (size_t p = 0; p < size.k; p++) sum += ((double*)a.data)[a.at(i, p)] * ((double*)b.data)[b.at(p, j)];
      to = alpha * sum + (beta != 0 ? beta * to : 0);
    }
}

// The arguments of cublasGemmStridedBatchedEx.
struct Gemm {
  int transpose_a, transpose_b, m, n, k;
  const void *alpha, *a;
  int type_a, leading_a;
  long long stride_a;
  const void* b;
  int type_b, leading_b;
  long long stride_b;
  const void *beta, *c;
  int type_c, leading_c;
  long long stride_c;
  int batch, compute;
};

static bool valid(const Gemm& g) {
  bool sizes = g.m >= 0 && g.n >= 0 && g.k >= 0 && g.batch >= 0;
  bool a = g.leading_a >= std::max(1, g.transpose_a ? g.k : g.m);
  bool b = g.leading_b >= std::max(1, g.transpose_b ? g.n : g.k);
  if (sizes && a && b && g.leading_c >= std::max(1, g.m)) return true;
  fprintf(stderr, "softgpu: a product of m %d, n %d, k %d with leading dimensions %d, %d, %d is invalid\n", g.m, g.n,
          g.k, g.leading_a, g.leading_b, g.leading_c);
  return false;
}

static double scalar(const void* x, int compute) {
  if (compute == COMPUTE_64F) return *(const double*)x;
  return compute == COMPUTE_16F ? F16::widen(*(const uint16_t*)x) : *(const float*)x;
}

static void run(const Gemm& g, double alpha, double beta) {
  for (long long i = 0; i < g.batch; i++) {
    Matrix a{(const char*)g.a + i * g.stride_a * width(g.type_a), g.type_a, (size_t)g.leading_a, g.transpose_a != 0};
    Matrix b{(const char*)g.b + i * g.stride_b * width(g.type_b), g.type_b, (size_t)g.leading_b, g.transpose_b != 0};
    void* c = (char*)g.c + i * g.stride_c * width(g.type_c);
    Sizes size{(size_t)g.m, (size_t)g.n, (size_t)g.k};
    if (g.type_a == F64) product_f64(size, alpha, a, b, beta, (double*)c, g.leading_c);
    else product_f32(size, alpha, a, b, beta, c, g.type_c, g.leading_c);
  }
}

static int enqueue(void* handle, const Gemm& g) {
  LOCK;
  if (!valid(g)) return 7;  // CUBLAS_STATUS_INVALID_VALUE
  if (!g.m || !g.n || !g.batch) return 0;
  auto bytes = [&](long long rows, long long columns, long long leading, long long stride, int type) {
    return (size_t)((g.batch - 1) * stride + (columns - 1) * leading + rows) * width(type);
  };
  bool ta = g.transpose_a, tb = g.transpose_b;
  const char* name = g.type_a == F64 ? "product f64" : g.type_a == F32 ? "product f32"
                     : g.type_a == BFLOAT ? "product bf16" : "product f16";
  if (g.k) require(name, g.a, bytes(ta ? g.k : g.m, ta ? g.m : g.k, g.leading_a, g.stride_a, g.type_a));
  if (g.k) require(name, g.b, bytes(tb ? g.n : g.k, tb ? g.k : g.n, g.leading_b, g.stride_b, g.type_b));
  require(name, g.c, bytes(g.m, g.n, g.leading_c, g.stride_c, g.type_c));
  double alpha = scalar(g.alpha, g.compute), beta = scalar(g.beta, g.compute);  // they may be gone later
  counts.products++;
  enqueue(stream_of(*(void**)handle), name, [=] { run(g, alpha, beta); }, {{g.a, false}, {g.b, false}, {g.c, true}});
  return 0;
}

}  // namespace softgpu

using softgpu::Gemm;

API int cublasCreate_v2(void** handle) {
  *handle = new void*(nullptr);  // holds the stream
  return 0;
}
API int cublasDestroy_v2(void* handle) {
  delete (void**)handle;
  return 0;
}
API int cublasSetStream_v2(void* handle, void* stream) {
  *(void**)handle = stream;
  return 0;
}
API int cublasSetMathMode(void*, int) { return 0; }
API int cublasSetWorkspace_v2(void*, void*, size_t) { return 0; }

API int cublasGemmStridedBatchedEx(void* h, int ta, int tb, int m, int n, int k, const void* alpha, const void* a,
                                   int type_a, int lda, long long sa, const void* b, int type_b, int ldb, long long sb,
                                   const void* beta, void* c, int type_c, int ldc, long long sc, int batch, int compute,
                                   int) {
  return softgpu::enqueue(h, Gemm{ta, tb, m, n, k, alpha, a, type_a, lda, sa, b, type_b, ldb, sb, beta, c, type_c, ldc,
                                  sc, batch, compute});
}
API int cublasGemmEx(void* h, int ta, int tb, int m, int n, int k, const void* alpha, const void* a, int type_a,
                     int lda, const void* b, int type_b, int ldb, const void* beta, void* c, int type_c, int ldc,
                     int compute, int) {
  return softgpu::enqueue(h, Gemm{ta, tb, m, n, k, alpha, a, type_a, lda, 0, b, type_b, ldb, 0, beta, c, type_c, ldc, 0,
                                  1, compute});
}
API int cublasSgemmStridedBatched(void* h, int ta, int tb, int m, int n, int k, const float* alpha, const float* a,
                                  int lda, long long sa, const float* b, int ldb, long long sb, const float* beta,
                                  float* c, int ldc, long long sc, int batch) {
  return softgpu::enqueue(h, Gemm{ta, tb, m, n, k, alpha, a, softgpu::F32, lda, sa, b, softgpu::F32, ldb, sb, beta, c,
                                  softgpu::F32, ldc, sc, batch, softgpu::COMPUTE_32F});
}
API int cublasDgemmStridedBatched(void* h, int ta, int tb, int m, int n, int k, const double* alpha, const double* a,
                                  int lda, long long sa, const double* b, int ldb, long long sb, const double* beta,
                                  double* c, int ldc, long long sc, int batch) {
  return softgpu::enqueue(h, Gemm{ta, tb, m, n, k, alpha, a, softgpu::F64, lda, sa, b, softgpu::F64, ldb, sb, beta, c,
                                  softgpu::F64, ldc, sc, batch, softgpu::COMPUTE_64F});
}

// --- cuRAND: candle makes a generator with every device; the program never draws from it

API int curandCreateGenerator(void** generator, int) {
  *generator = new char;
  return 0;
}
API int curandDestroyGenerator(void* generator) {
  delete (char*)generator;
  return 0;
}
API int curandSetStream(void*, void*) { return 0; }
API int curandSetPseudoRandomGeneratorSeed(void*, unsigned long long) { return 0; }
API int curandSetGeneratorOffset(void*, unsigned long long) { return 0; }
