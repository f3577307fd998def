#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "spawn_child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>

/// What is done to the descriptors between fork and exec.
static int plan_streams(posix_spawn_file_actions_t *actions, const char *directory,
                        const int streams[3]) {
  int error = directory ? posix_spawn_file_actions_addchdir_np(actions, directory) : 0;
  for (int stream = 0; stream < 3 && !error; stream++) {
    error = streams[stream] < 0
                ? posix_spawn_file_actions_addopen(actions, stream, "/dev/null", O_RDWR, 0)
                : posix_spawn_file_actions_adddup2(actions, streams[stream], stream);
  }
  return error ? error : posix_spawn_file_actions_addclosefrom_np(actions, 3);
}

int spawn_child(pid_t *id, const char *path, char *const arguments[], char *const environment[],
                const char *directory, const int streams[3]) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  int error = posix_spawn_file_actions_init(&actions);
  if (error) return error;
  error = posix_spawnattr_init(&attributes);
  if (!error) {
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    error = plan_streams(&actions, directory, streams);
    if (!error) error = posix_spawn(id, path, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_destroy(&actions);
  return error;
}
