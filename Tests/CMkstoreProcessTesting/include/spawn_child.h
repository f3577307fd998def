#ifndef SPAWN_CHILD_H
#define SPAWN_CHILD_H

#include <sys/types.h>

/// Starts a program with `streams` as its standard input, output and error; -1 there is /dev/null.
/// Every other descriptor is closed in it, signals have their default meaning, and none is blocked.
///
/// `directory` is where it runs; NULL: where this process does. 0 or errno.
int spawn_child(pid_t *id, const char *path, char *const arguments[], char *const environment[],
                const char *directory, const int streams[3]);

#endif
