// Switching between stacks. ucontext would do everywhere, but it makes a system call at each switch.
#pragma once
#include <cstddef>

namespace softgpu {

// Saves where this stack stands in *save and goes on where `to` stands.
void switch_to(void** save, void* to);
// A place from which `body` starts on the stack [base, base + size) when it is switched to. It must not return.
static void* fresh(unsigned char* base, size_t size, void (*body)());

}  // namespace softgpu

#ifdef __x86_64__
// The callee-saved registers travel on the stacks. `jmp` and not `ret`: the return would always be mispredicted.
extern "C" void softgpu_switch(void** save, void* to);
__asm__(
    ".text\n.local softgpu_switch\n.type softgpu_switch,@function\nsoftgpu_switch:\n"
    "push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
    "mov %rsp,(%rdi)\nmov %rsi,%rsp\n"
    "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\npop %rcx\njmp *%rcx\n"
    ".size softgpu_switch,.-softgpu_switch\n");

namespace softgpu {
inline void switch_to(void** save, void* to) { softgpu_switch(save, to); }

static void* fresh(unsigned char* base, size_t size, void (*body)()) {
  auto top = (void**)(base + size);
  *--top = nullptr;  // the stack pointer is 8 off a multiple of 16 where a function begins
  *--top = (void*)body;
  return top - 6;  // six registers, of any value
}
}  // namespace softgpu
#else
#include <ucontext.h>

namespace softgpu {
inline void switch_to(void** save, void* to) {
  ucontext_t here;  // lives on the stack that is left, for as long as it is left
  *save = &here;
  swapcontext(&here, (ucontext_t*)to);
}

static void* fresh(unsigned char* base, size_t size, void (*body)()) {
  auto context = (ucontext_t*)(base + size - sizeof(ucontext_t) - 64);
  getcontext(context);
  context->uc_stack.ss_sp = base;
  context->uc_stack.ss_size = size - sizeof(ucontext_t) - 64;
  makecontext(context, body, 0);
  return context;
}
}  // namespace softgpu
#endif
