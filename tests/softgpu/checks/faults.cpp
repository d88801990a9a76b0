// One planted fault a run: faults IMAGE CASE. check.py runs them all and says what must come out.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

using Pointer = uint64_t;
extern "C" {
int cuInit(unsigned);
int cuModuleLoadData(void**, const void*);
int cuModuleGetFunction(void**, void*, const char*);
int cuLaunchKernel(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**, void**);
int cuMemAllocAsync(Pointer*, size_t, void*);
int cuMemFreeAsync(Pointer, void*);
int cuMemcpyHtoDAsync_v2(Pointer, const void*, size_t, void*);
int cuMemcpyDtoHAsync_v2(void*, Pointer, size_t, void*);
int cuStreamCreate(void**, unsigned);
int cuStreamSynchronize(void*);
int cuEventCreate(void**, unsigned);
int cuEventRecord(void*, void*);
int cuStreamWaitEvent(void*, void*, unsigned);
int cuFuncSetAttribute(void*, int, int);
int cuArrayCreate_v2(void*, const void*);
}

constexpr int N = 255;
static void *module, *first, *second;

static Pointer allocate(size_t size, void* stream = first) {
  Pointer p;
  cuMemAllocAsync(&p, size, stream);
  return p;
}

static Pointer ones(void* stream = first) {
  std::vector<float> x(N, 1.f);
  Pointer p = allocate(N * 4, stream);
  cuMemcpyHtoDAsync_v2(p, x.data(), N * 4, stream);
  return p;
}

static float read(Pointer p, void* stream = first) {
  float x;
  cuMemcpyDtoHAsync_v2(&x, p, 4, stream);
  return x;
}

struct Grid {
  unsigned x = 1, y = 1, threads = 256, shared = 0;
};

template <class... A>
static int launch(const char* name, Grid grid, void* stream, A... arguments) {
  void* function;
  if (int error = cuModuleGetFunction(&function, module, name)) return error;
  void* parameters[] = {&arguments...};
  return cuLaunchKernel(function, grid.x, grid.y, 1, grid.threads, 1, 1, grid.shared, stream, parameters, nullptr);
}

static void sum(const char* kernel) {
  Pointer x = ones(), out = allocate(4);
  launch(kernel, {}, first, x, out, N);
  printf("%s\n", read(out) == N ? "right" : "wrong");
}

static void copy(int offset) {
  Pointer x = ones(), out = allocate(N * 4);
  launch("copy_at", {}, first, x, out, N, offset);
  cuStreamSynchronize(first);
}

// A product of one stream that another one reads; with an event in between or without.
static void two_streams(bool event) {
  Pointer x = ones(), sum = allocate(4), out = allocate(4, second);
  if (event) {
    void* done;
    cuEventCreate(&done, 0);
    launch("sum", {}, first, x, sum, N);
    cuEventRecord(done, first);
    cuStreamWaitEvent(second, done, 0);
  } else {
    launch("sum", {}, first, x, sum, N);
  }
  launch("copy_at", {}, second, sum, out, 1, 0);
  printf("%s\n", read(out, second) == N ? "right" : "wrong");
}

static void result(int code) { printf("result %d\n", code); }

static const std::map<std::string, std::function<void()>> CASES = {
    {"sum", [] { sum("sum"); }},
    {"missing barrier", [] { sum("sum_without_barrier"); }},
    {"read behind", [] { copy(1); }},
    {"read before", [] { copy(-1024); }},
    {"read far away", [] { copy(100000000); }},
    {"write behind", [] {
       launch("write_at", {1, 1, 1}, first, allocate(4), 1);
       cuStreamSynchronize(first);
     }},
    {"uninitialised", [] { printf("%s\n", std::isnan(read(allocate(4))) ? "nan" : "a number"); }},
    {"use after free", [] {
       Pointer x = ones(), out = allocate(4);
       cuMemFreeAsync(x, first);
       launch("sum", {}, first, x, out, N);
     }},
    // The launch is legal when it is made; its argument is gone when it runs, because nothing orders the two streams.
    {"freed by another stream", [] {
       Pointer x = ones(), out = allocate(4);
       cuStreamSynchronize(first);
       launch("sum", {}, first, x, out, N);
       cuMemFreeAsync(x, second);
       cuStreamSynchronize(second);
       cuStreamSynchronize(first);
     }},
    {"freed twice", [] {
       Pointer x = ones();
       cuMemFreeAsync(x, first);
       cuMemFreeAsync(x, first);
     }},
    {"host pointer", [] {
       float x[N];
       launch("sum", {}, first, (Pointer)x, allocate(4), N);
     }},
    {"two streams", [] { two_streams(false); }},
    {"two streams and an event", [] { two_streams(true); }},
    {"no block", [] { result(launch("write_at", {0}, first, allocate(4), 0)); }},
    {"no thread", [] { result(launch("write_at", {1, 1, 0}, first, allocate(4), 0)); }},
    {"too many threads", [] { result(launch("write_at", {1, 1, 1025}, first, allocate(4), 0)); }},
    {"too many blocks", [] { result(launch("write_at", {1, 65536}, first, allocate(4), 0)); }},
    {"too much shared memory", [] { result(launch("write_at", {1, 1, 1, 49153}, first, allocate(4), 0)); }},
    {"shared memory by request", [] {
       void* function;
       cuModuleGetFunction(&function, module, "write_at");
       int more = cuFuncSetAttribute(function, 8, 101376), most = cuFuncSetAttribute(function, 8, 101377);
       result(more * 100 + most * 10 + launch("write_at", {1, 1, 1, 101376}, first, allocate(4), 0));
     }},
    {"diverging barrier", [] {
       launch("barrier_of_some", {1, 1, 8}, first, allocate(32));
       cuStreamSynchronize(first);
     }},
    {"mask without its caller", [] {
       launch("mask_without_caller", {1, 1, 2}, first, allocate(8));
       cuStreamSynchronize(first);
     }},
    {"rounded twice", [] {
       Pointer out = allocate(4);
       launch("round_twice", {1, 1, 1}, first, out, 1 + 0x1p-12f, -1 - 0x1p-11f);
       printf("%s\n", read(out) == 0 ? "right" : "fused");
     }},
    {"no such kernel", [] { result(launch("nothing", {}, first)); }},
    {"no such function", [] { cuArrayCreate_v2(nullptr, nullptr); }},
};

int main(int count, char** arguments) {
  if (count != 3 || !CASES.count(arguments[2])) return 2;
  std::stringstream image;
  image << std::ifstream(arguments[1]).rdbuf();
  cuInit(0);
  cuModuleLoadData(&module, image.str().c_str());
  cuStreamCreate(&first, 1);
  cuStreamCreate(&second, 1);
  CASES.at(arguments[2])();
}
