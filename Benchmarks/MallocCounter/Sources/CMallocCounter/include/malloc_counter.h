// Counts allocations of the whole process by standing in front of the C library's malloc.
#ifndef MALLOC_COUNTER_H
#define MALLOC_COUNTER_H
#include <stdint.h>

/// Allocations so far, all threads.
uint64_t malloc_counter_read(void);

#endif
