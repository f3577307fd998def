#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "posix_shims.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int mk_allowed_cpus(int *cpus, int max) {
  // The kernel refuses a mask smaller than its own; grow until it fits.
  for (int bits = 1024; bits <= 1 << 20; bits *= 2) {
    cpu_set_t *mask = CPU_ALLOC((size_t)bits);
    if (mask == NULL) return -ENOMEM;
    size_t size = CPU_ALLOC_SIZE((size_t)bits);
    CPU_ZERO_S(size, mask);
    if (sched_getaffinity(0, size, mask) != 0) {
      int error = errno;
      CPU_FREE(mask);
      if (error == EINVAL) continue;
      return -error;
    }
    int count = 0;
    for (int cpu = 0; cpu < bits; cpu++) {
      if (!CPU_ISSET_S((size_t)cpu, size, mask)) continue;
      if (count < max) cpus[count] = cpu;
      count++;
    }
    CPU_FREE(mask);
    return count;
  }
  return -EINVAL;
}

int mk_pin_thread(int cpu) {
  if (cpu < 0) return EINVAL;
  cpu_set_t *mask = CPU_ALLOC((size_t)cpu + 1);
  if (mask == NULL) return ENOMEM;
  size_t size = CPU_ALLOC_SIZE((size_t)cpu + 1);
  CPU_ZERO_S(size, mask);
  CPU_SET_S((size_t)cpu, size, mask);
  int error = pthread_setaffinity_np(pthread_self(), size, mask);
  CPU_FREE(mask);
  return error;
}

int mk_lower_priority(int nice) {
  // On Linux a thread's own, by its thread id.
  return setpriority(PRIO_PROCESS, (id_t)mk_thread_id(), nice) == 0 ? 0 : errno;
}

int mk_set_thread_name(const char *name) {
  char cut[16];
  strncpy(cut, name, sizeof cut - 1);
  cut[sizeof cut - 1] = 0;
  return pthread_setname_np(pthread_self(), cut);
}

int mk_thread_id(void) { return (int)syscall(SYS_gettid); }

int mk_current_cpu(void) { return sched_getcpu(); }

int64_t mk_monotonic_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct mk_monitor {
  pthread_mutex_t mutex;
  pthread_cond_t condition;
};

// A pthread call on a live monitor fails only through misuse: better to stop than to run unlocked.
static void must(int error) {
  if (error != 0) abort();
}

mk_monitor *mk_monitor_create(void) {
  mk_monitor *monitor = malloc(sizeof *monitor);
  if (monitor == NULL) abort();
  must(pthread_mutex_init(&monitor->mutex, NULL));
  pthread_condattr_t attributes;
  must(pthread_condattr_init(&attributes));
  must(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC));
  must(pthread_cond_init(&monitor->condition, &attributes));
  pthread_condattr_destroy(&attributes);
  return monitor;
}

void mk_monitor_destroy(mk_monitor *monitor) {
  must(pthread_cond_destroy(&monitor->condition));
  must(pthread_mutex_destroy(&monitor->mutex));
  free(monitor);
}

void mk_monitor_lock(mk_monitor *monitor) { must(pthread_mutex_lock(&monitor->mutex)); }

void mk_monitor_unlock(mk_monitor *monitor) { must(pthread_mutex_unlock(&monitor->mutex)); }

void mk_monitor_wait(mk_monitor *monitor) {
  must(pthread_cond_wait(&monitor->condition, &monitor->mutex));
}

bool mk_monitor_wait_for(mk_monitor *monitor, int64_t timeout_ns) {
  if (timeout_ns < 0) timeout_ns = 0;
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += timeout_ns / 1000000000;
  until.tv_nsec += timeout_ns % 1000000000;
  if (until.tv_nsec >= 1000000000) {
    until.tv_sec += 1;
    until.tv_nsec -= 1000000000;
  }
  int error = pthread_cond_timedwait(&monitor->condition, &monitor->mutex, &until);
  if (error == ETIMEDOUT) return false;
  must(error);
  return true;
}

void mk_monitor_signal(mk_monitor *monitor) { must(pthread_cond_signal(&monitor->condition)); }

void mk_monitor_broadcast(mk_monitor *monitor) {
  must(pthread_cond_broadcast(&monitor->condition));
}
