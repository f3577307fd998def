#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "guarded_copy.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

// MARK: copying

// A leaf without a stack frame: wherever between the labels it faults, the stack is as it was at
// the call, so the handler only has to move the program counter to `mk_guarded_copy_fault`.

#if defined(__x86_64__)

__asm__(
    ".text\n"
    ".p2align 4\n"
    ".globl mk_guarded_copy\n"
    ".globl mk_guarded_copy_start\n"
    ".globl mk_guarded_copy_end\n"
    ".globl mk_guarded_copy_fault\n"
    ".hidden mk_guarded_copy_start\n"
    ".hidden mk_guarded_copy_end\n"
    ".hidden mk_guarded_copy_fault\n"
    ".type mk_guarded_copy, @function\n"
    "mk_guarded_copy:\n"
    "mk_guarded_copy_start:\n"
    ".cfi_startproc\n"
    "endbr64\n"
    "cmpq $8, %rdx\n"
    "je 8f\n"
    "cmpq $4, %rdx\n"
    "je 4f\n"
    "cmpq $12, %rdx\n"
    "je 2f\n"
    "cmpq $16, %rdx\n"
    "je 6f\n"
    "movq %rdx, %rcx\n"
    "rep movsb\n"
    "xorl %eax, %eax\n"
    "ret\n"
    "4:\n"
    "movl (%rsi), %eax\n"
    "movl %eax, (%rdi)\n"
    "xorl %eax, %eax\n"
    "ret\n"
    "8:\n"
    "movq (%rsi), %rax\n"
    "movq %rax, (%rdi)\n"
    "xorl %eax, %eax\n"
    "ret\n"
    "2:\n"
    "movq (%rsi), %rax\n"
    "movl 8(%rsi), %ecx\n"
    "movq %rax, (%rdi)\n"
    "movl %ecx, 8(%rdi)\n"
    "xorl %eax, %eax\n"
    "ret\n"
    "6:\n"
    "movq (%rsi), %rax\n"
    "movq 8(%rsi), %rcx\n"
    "movq %rax, (%rdi)\n"
    "movq %rcx, 8(%rdi)\n"
    "xorl %eax, %eax\n"
    "ret\n"
    "mk_guarded_copy_end:\n"
    "mk_guarded_copy_fault:\n"
    "movl $1, %eax\n"
    "ret\n"
    ".cfi_endproc\n"
    ".size mk_guarded_copy, . - mk_guarded_copy\n");

#define PROGRAM_COUNTER(context) ((context)->uc_mcontext.gregs[REG_RIP])

#elif defined(__aarch64__)

__asm__(
    ".text\n"
    ".p2align 4\n"
    ".globl mk_guarded_copy\n"
    ".globl mk_guarded_copy_start\n"
    ".globl mk_guarded_copy_end\n"
    ".globl mk_guarded_copy_fault\n"
    ".hidden mk_guarded_copy_start\n"
    ".hidden mk_guarded_copy_end\n"
    ".hidden mk_guarded_copy_fault\n"
    ".type mk_guarded_copy, %function\n"
    "mk_guarded_copy:\n"
    "mk_guarded_copy_start:\n"
    ".cfi_startproc\n"
    "hint #34\n"  // bti c
    "cmp x2, #8\n"
    "b.eq 8f\n"
    "cmp x2, #4\n"
    "b.eq 4f\n"
    "cmp x2, #12\n"
    "b.eq 2f\n"
    "cmp x2, #16\n"
    "b.eq 6f\n"
    "1:\n"
    "subs x2, x2, #8\n"
    "b.lo 3f\n"
    "ldr x3, [x1], #8\n"
    "str x3, [x0], #8\n"
    "b 1b\n"
    "3:\n"
    "adds x2, x2, #8\n"
    "b.eq 7f\n"
    "5:\n"
    "ldrb w3, [x1], #1\n"
    "strb w3, [x0], #1\n"
    "subs x2, x2, #1\n"
    "b.ne 5b\n"
    "7:\n"
    "mov w0, #0\n"
    "ret\n"
    "4:\n"
    "ldr w3, [x1]\n"
    "str w3, [x0]\n"
    "mov w0, #0\n"
    "ret\n"
    "8:\n"
    "ldr x3, [x1]\n"
    "str x3, [x0]\n"
    "mov w0, #0\n"
    "ret\n"
    "2:\n"
    "ldr x3, [x1]\n"
    "ldr w4, [x1, #8]\n"
    "str x3, [x0]\n"
    "str w4, [x0, #8]\n"
    "mov w0, #0\n"
    "ret\n"
    "6:\n"
    "ldr x3, [x1]\n"
    "ldr x4, [x1, #8]\n"
    "str x3, [x0]\n"
    "str x4, [x0, #8]\n"
    "mov w0, #0\n"
    "ret\n"
    "mk_guarded_copy_end:\n"
    "mk_guarded_copy_fault:\n"
    "mov w0, #1\n"
    "ret\n"
    ".cfi_endproc\n"
    ".size mk_guarded_copy, . - mk_guarded_copy\n");

#define PROGRAM_COUNTER(context) ((context)->uc_mcontext.pc)

#else

int mk_guarded_copy(void *target, const void *source, size_t count) {
  return mk_guarded_copy_portable(target, source, count);
}

#endif

// Where this thread's portable copy goes on after a fault; NULL outside of one.
static _Thread_local sigjmp_buf *volatile resume_point;

int mk_guarded_copy_portable(void *target, const void *source, size_t count) {
  sigjmp_buf point;
  // The mask is not saved, which would be a system call: the handler leaves SIGBUS unblocked.
  if (sigsetjmp(point, 0) != 0) {
    resume_point = NULL;
    return 1;
  }
  resume_point = &point;
  atomic_signal_fence(memory_order_seq_cst);
  volatile unsigned char *to = target;
  const volatile unsigned char *from = source;
  for (size_t index = 0; index < count; index++) to[index] = from[index];
  atomic_signal_fence(memory_order_seq_cst);
  resume_point = NULL;
  return 0;
}

// MARK: the handler

// The action in force before ours; complete before ours is set.
static struct sigaction previous;
// Whether `previous` was one that holds for a single signal (SA_RESETHAND) and has had it.
static atomic_flag is_used_up = ATOMIC_FLAG_INIT;

static void act_by_default(int number, bool is_fault) {
  struct sigaction fallback;
  memset(&fallback, 0, sizeof fallback);
  fallback.sa_handler = SIG_DFL;
  sigaction(number, &fallback, NULL);
  // A fault happens again once this returns, and ends the process; what was sent is sent again.
  if (!is_fault) raise(number);
}

// Passes on a fault, or a signal sent by a process, that is not ours.
static void hand_on(int number, siginfo_t *info, void *context, bool is_fault) {
  bool has_handler = previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN;
  if (has_handler && (previous.sa_flags & SA_RESETHAND) != 0) {
    has_handler = !atomic_flag_test_and_set(&is_used_up);
    if (!has_handler) return act_by_default(number, is_fault);
  }
  if (has_handler) {
    // With the signals blocked that it asked for, its own among them unless it said otherwise.
    sigset_t blocked = previous.sa_mask, before;
    if ((previous.sa_flags & SA_NODEFER) == 0) sigaddset(&blocked, number);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    if ((previous.sa_flags & SA_SIGINFO) != 0) {
      previous.sa_sigaction(number, info, context);
    } else {
      previous.sa_handler(number);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
  } else if (previous.sa_handler != SIG_IGN || is_fault) {
    // The kernel lets no process ignore a fault either.
    act_by_default(number, is_fault);
  }
}

static void on_bus_error(int number, siginfo_t *info, void *opaque) {
  int saved = errno;
  // A positive code is the kernel's. BUS_MCEERR_AO reports memory that was not accessed.
  bool is_fault = info->si_code > 0 && info->si_code != BUS_MCEERR_AO;
#if defined(PROGRAM_COUNTER)
  extern const char mk_guarded_copy_start[], mk_guarded_copy_end[], mk_guarded_copy_fault[];
  ucontext_t *context = opaque;
  uintptr_t at = (uintptr_t)PROGRAM_COUNTER(context);
  if (is_fault && at >= (uintptr_t)mk_guarded_copy_start && at < (uintptr_t)mk_guarded_copy_end) {
    PROGRAM_COUNTER(context) = (uintptr_t)mk_guarded_copy_fault;
    return;
  }
#endif
  if (is_fault && resume_point != NULL) siglongjmp(*resume_point, 1);
  hand_on(number, info, opaque, is_fault);
  errno = saved;
}

static int install(void) {
  if (sigaction(SIGBUS, NULL, &previous) != 0) return errno;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_bus_error;
  // Nothing is blocked within ours, so that the portable copy may leave it by a jump. SA_ONSTACK: a
  // thread without a stack for signals uses its own.
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | (previous.sa_flags & SA_RESTART);
  return sigaction(SIGBUS, &action, NULL) == 0 ? 0 : errno;
}

int mk_guard_install(void) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static bool is_installed;
  pthread_mutex_lock(&lock);
  int code = is_installed ? 0 : install();
  if (code == 0) is_installed = true;
  pthread_mutex_unlock(&lock);
  return code;
}

// MARK: simulation

int mk_make_faulting(void *address, size_t count) {
  if (count == 0) return 0;
  int fd = memfd_create("mkstore-faulting", MFD_CLOEXEC);
  if (fd < 0) return errno;
  // Of an empty file: every page is after its end.
  int protection = PROT_READ | PROT_WRITE;
  void *mapped = mmap(address, count, protection, MAP_SHARED | MAP_FIXED, fd, 0);
  int code = mapped == MAP_FAILED ? errno : 0;
  close(fd);
  return code;
}
