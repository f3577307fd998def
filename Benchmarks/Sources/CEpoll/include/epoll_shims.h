// epoll, which Swift's Glibc module leaves out.
#ifndef EPOLL_SHIMS_H
#define EPOLL_SHIMS_H
#include <stdint.h>
#include <sys/epoll.h>

/// Adds (or changes) a descriptor that is known by `index`; `sends`: also tell when it takes bytes.
static inline int bench_epoll_watch(int poll, int fd, uint32_t index, int changes, int sends) {
  struct epoll_event event = {.events = EPOLLIN | (sends ? EPOLLOUT : 0), .data.u32 = index};
  return epoll_ctl(poll, changes ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
}

/// Whether an event says more than that bytes may be sent.
static inline int bench_epoll_reads(const struct epoll_event *event) {
  return (event->events & ~(uint32_t)EPOLLOUT) != 0;
}

static inline uint32_t bench_epoll_index(const struct epoll_event *event) { return event->data.u32; }
#endif
