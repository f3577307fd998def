#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif

#include "posix_shims.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

static int error_or_zero(int result) { return result == 0 ? 0 : errno; }

static int64_t value_or_error(int64_t result) { return result >= 0 ? result : -errno; }

// MARK: status

static enum mk_file_kind kind_of_mode(uint32_t mode) {
  switch (mode & S_IFMT) {
  case S_IFREG: return MK_FILE;
  case S_IFDIR: return MK_DIRECTORY;
  case S_IFLNK: return MK_SYMBOLIC_LINK;
  default: return MK_OTHER;
  }
}

static int64_t ms_of(struct statx_timestamp time) {
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int64_t ns_of(struct statx_timestamp time) {
  // Unsigned: a made-up time of year 2400 wraps around instead of being undefined.
  return (int64_t)((uint64_t)time.tv_sec * 1000000000u + time.tv_nsec);
}

static int status_at(int fd, const char *path, int flags, struct mk_file_status *status) {
  struct statx found;
  if (statx(fd, path, flags, STATX_BASIC_STATS | STATX_BTIME, &found) != 0) return errno;
  status->device = (uint64_t)makedev(found.stx_dev_major, found.stx_dev_minor);
  status->inode = found.stx_ino;
  status->size = (int64_t)found.stx_size;
  status->modified_ms = ms_of(found.stx_mtime);
  status->changed_ms = ms_of(found.stx_ctime);
  bool has_birth = (found.stx_mask & STATX_BTIME) != 0;
  status->created_ms = has_birth ? ms_of(found.stx_btime) : INT64_MIN;
  status->created_ns = has_birth ? ns_of(found.stx_btime) : INT64_MIN;
  status->kind = (int32_t)kind_of_mode(found.stx_mode);
  return 0;
}

int mk_status(const char *path, struct mk_file_status *status) {
  return status_at(AT_FDCWD, path, 0, status);
}

int mk_status_of_descriptor(int fd, struct mk_file_status *status) {
  return status_at(fd, "", AT_EMPTY_PATH, status);
}

// MARK: files

// A descriptor that is not one of the standard streams. If a process was started with one of them
// closed, open(2) returns its number, and printed output would be written into the file.
static int above_standard(int fd) {
  if (fd < 0) return -errno;
  if (fd > STDERR_FILENO) return fd;
  int result = (int)value_or_error(fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  close(fd);
  return result;
}

int mk_open(const char *path, enum mk_open_mode mode) {
  // O_NONBLOCK: a FIFO or a device named like a segment must not hang the opener; it has no effect
  // on a regular file. O_NOFOLLOW: files are never written to through a symbolic link.
  int flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  switch (mode) {
  case MK_OPEN_READ: flags |= O_RDONLY; break;
  case MK_OPEN_READ_WRITE: flags |= O_RDWR | O_NOFOLLOW; break;
  case MK_OPEN_CREATE: flags |= O_RDWR | O_NOFOLLOW | O_CREAT | O_EXCL; break;
  case MK_OPEN_OR_CREATE: flags |= O_RDWR | O_NOFOLLOW | O_CREAT; break;
  case MK_OPEN_DURABLE_WRITES: flags |= O_RDWR | O_NOFOLLOW | O_DSYNC; break;
  case MK_OPEN_DIRECT: flags |= O_RDWR | O_NOFOLLOW | O_DSYNC | O_DIRECT; break;
  }
  return above_standard(open(path, flags, 0640));
}

int mk_open_directory(const char *path) {
  return above_standard(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

int mk_fsync(int fd) { return error_or_zero(fsync(fd)); }

int mk_fdatasync(int fd) { return error_or_zero(fdatasync(fd)); }

void mk_start_writeback(int fd) { (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE); }

int mk_abandon(int fd) {
  int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return errno;
  int code = 0;
  while (dup3(root, fd, O_CLOEXEC) < 0) {
    if (errno == EINTR || errno == EBUSY) continue;
    code = errno;
    break;
  }
  close(root);
  return code;
}

int mk_write_out(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0) return errno;
  const off_t piece = 1 << 20;
  for (off_t position = 0; position < status.st_size; position += piece) {
    int flags = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    if (sync_file_range(fd, position, piece, flags) != 0) return errno;
  }
  return 0;
}

int mk_check_written(int fd) {
  // Errors are reported whatever range is requested, and the first byte is seldom being written.
  return error_or_zero(sync_file_range(fd, 0, 1, SYNC_FILE_RANGE_WAIT_BEFORE));
}

bool mk_can_sync_file_system(int fd) {
  struct utsname system;
  unsigned major = 0, minor = 0;
  if (uname(&system) != 0 || sscanf(system.release, "%u.%u", &major, &minor) != 2) return false;
  if (major < 5 || (major == 5 && minor < 8)) return false;
  struct statfs found;
  return fstatfs(fd, &found) == 0 && found.f_type == EXT4_SUPER_MAGIC;
}

int mk_sync_file_system(int fd) {
  if (syncfs(fd) != 0) return errno;
  // Without a journal, ext4 flushes the device's cache before the metadata is written. And up to
  // Linux 6.11 (6.14 after an error) syncfs does nothing and says 0 once the file system was shut
  // down. Both are made up for by an fdatasync of any file: it flushes, and looks at that state.
  if (fdatasync(fd) != 0) return errno;
  // Neither detects a file system that was forced read-only.
  struct statvfs found;
  if (fstatvfs(fd, &found) != 0) return errno;
  return (found.f_flag & ST_RDONLY) != 0 ? EROFS : 0;
}

int mk_open_memory_figures(void) {
  return above_standard(open("/proc/meminfo", O_RDONLY | O_CLOEXEC));
}

static int64_t figure(const char *text, const char *name) {
  const char *line = strstr(text, name);
  return line == NULL ? -ENOENT : atoll(line + strlen(name)) * 1024;
}

int64_t mk_pending_bytes(int figures) {
  char text[2048];  // both lines are in the first thousand bytes
  ssize_t count = pread(figures, text, sizeof text - 1, 0);
  if (count < 0) return -errno;
  text[count] = 0;
  int64_t dirty = figure(text, "\nDirty:"), writing = figure(text, "\nWriteback:");
  return dirty < 0 ? dirty : writing < 0 ? writing : dirty + writing;
}

int64_t mk_pread(int fd, void *bytes, size_t count, int64_t position) {
  return value_or_error(pread(fd, bytes, count, position));
}

int64_t mk_pwrite(int fd, const void *bytes, size_t count, int64_t position) {
  return value_or_error(pwrite(fd, bytes, count, position));
}

// cachestat(2) alone: -ENOSYS before Linux 6.5, -EPERM where a sandbox forbids it or where the
// caller neither owns the file nor may write it.
static int64_t cached_by_cachestat(int fd, int64_t position, int64_t count) {
  // glibc 2.36 has neither the call nor its structures; its number is the same on every processor.
  const long cachestat = 451;
  struct {
    uint64_t offset, length;
  } range = {(uint64_t)position, (uint64_t)count};
  struct {
    uint64_t cached, dirty, writeback, evicted, recently_evicted;
  } found = {0};
  long result = syscall(cachestat, fd, &range, &found, 0);
  return result == 0 ? (int64_t)found.cached : -errno;
}

// mincore(2) says "cached" of every page where the caller neither owns the file nor may write it
// (Linux 5.2): its answer then means nothing.
static bool mincore_is_honest(int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY) return true;
  struct stat found;
  return fstat(fd, &found) == 0 && found.st_uid == geteuid();
}

int64_t mk_cached_pages_by_mincore(int fd, int64_t position, int64_t count) {
  if (!mincore_is_honest(fd)) return -EPERM;
  int64_t page_bytes = mk_page_bytes();
  int64_t start = position / page_bytes * page_bytes;
  size_t pages = (size_t)((position + count - start + page_bytes - 1) / page_bytes);
  unsigned char *address = mmap(NULL, pages * page_bytes, PROT_READ, MAP_SHARED, fd, start);
  if (address == MAP_FAILED) return -errno;
  int64_t cached = 0;
  unsigned char is_cached[4096];
  for (size_t done = 0; done < pages;) {
    size_t part = pages - done < sizeof is_cached ? pages - done : sizeof is_cached;
    if (mincore(address + done * page_bytes, part * page_bytes, is_cached) != 0) {
      cached = -errno;
      break;
    }
    for (size_t i = 0; i < part; i++) cached += is_cached[i] & 1;
    done += part;
  }
  mk_unmap(address, pages * page_bytes);
  return cached;
}

int64_t mk_cached_pages(int fd, int64_t position, int64_t count) {
  static atomic_bool has_no_cachestat;
  if (!atomic_load_explicit(&has_no_cachestat, memory_order_relaxed)) {
    int64_t cached = cached_by_cachestat(fd, position, count);
    if (cached >= 0) return cached;
    if (cached == -ENOSYS) atomic_store_explicit(&has_no_cachestat, true, memory_order_relaxed);
  }
  return mk_cached_pages_by_mincore(fd, position, count);
}

int64_t mk_link_count(int fd) {
  struct stat found;
  return fstat(fd, &found) == 0 ? (int64_t)found.st_nlink : -errno;
}

int mk_memory_file(void) { return above_standard(memfd_create("mkstore-memory", MFD_CLOEXEC)); }

int64_t mk_page_bytes(void) { return sysconf(_SC_PAGESIZE); }

int mk_truncate(int fd, int64_t size) { return error_or_zero(ftruncate(fd, size)); }

int mk_allocate(int fd, int64_t size) { return error_or_zero(fallocate(fd, 0, 0, size)); }

int64_t mk_next_hole(int fd, int64_t position) {
  return value_or_error(lseek(fd, position, SEEK_HOLE));
}

int64_t mk_next_data(int fd, int64_t position) {
  return value_or_error(lseek(fd, position, SEEK_DATA));
}

// A classic POSIX record lock is what Java takes, but it is lost as soon as its process closes
// *any* descriptor of the file, and a process cannot refuse itself. An open-file-description lock
// has neither flaw and conflicts with Java's, but hides its owner's pid. So the first half of the
// file's range is locked the new way, which is the lock proper, and the second half the old way,
// which only carries the pid and may be lost without harm. Java's lock spans both.
#define MK_LOCK_HALF ((off_t)1 << 62)

static struct flock lock_of(short type, off_t start, off_t length) {
  struct flock lock;
  memset(&lock, 0, sizeof lock);  // F_OFD_* demand l_pid == 0
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = start;
  lock.l_len = length;
  return lock;
}

int mk_lock_file(int fd) {
  struct flock proper = lock_of(F_WRLCK, 0, MK_LOCK_HALF);
  struct flock signature = lock_of(F_WRLCK, MK_LOCK_HALF, 0);
  int error = error_or_zero(fcntl(fd, F_OFD_SETLK, &proper));
  // The second half cannot be held where the first was free, but for a stranger's odd range.
  if (error == 0) error = error_or_zero(fcntl(fd, F_SETLK, &signature));
  return error == EACCES ? EAGAIN : error;  // POSIX allows either for "held by another"
}

int mk_lock_holder(int fd) {
  // Asked through this open file description, so that our own process is reported as well.
  struct flock lock = lock_of(F_WRLCK, MK_LOCK_HALF, 0);
  if (fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK || lock.l_pid <= 0) return 0;
  return (int)lock.l_pid;
}

int mk_unlock_file(int fd) {
  struct flock proper = lock_of(F_UNLCK, 0, MK_LOCK_HALF);
  struct flock signature = lock_of(F_UNLCK, MK_LOCK_HALF, 0);
  int error = error_or_zero(fcntl(fd, F_SETLK, &signature));
  int proper_error = error_or_zero(fcntl(fd, F_OFD_SETLK, &proper));
  return error != 0 ? error : proper_error;
}

int mk_make_directory(const char *path) { return error_or_zero(mkdir(path, 0750)); }

int mk_rename(const char *source, const char *destination) {
  return error_or_zero(rename(source, destination));
}

int mk_remove(const char *path) { return error_or_zero(unlink(path)); }

int mk_remove_directory(const char *path) { return error_or_zero(rmdir(path)); }

static int64_t bytes_of(uint64_t blocks, uint64_t block_bytes) {
  uint64_t bytes;
  if (__builtin_mul_overflow(blocks, block_bytes, &bytes) || bytes > INT64_MAX) return INT64_MAX;
  return (int64_t)bytes;
}

int mk_space(const char *path, int64_t *total, int64_t *available) {
  struct statvfs found;
  if (statvfs(path, &found) != 0) return errno;
  *total = bytes_of(found.f_blocks, found.f_frsize);
  *available = bytes_of(found.f_bavail, found.f_frsize);
  return 0;
}

void *mk_map(int fd, size_t capacity, bool writable, int *error) {
  int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  void *address = mmap(NULL, capacity, protection, MAP_SHARED, fd, 0);
  *error = address == MAP_FAILED ? errno : 0;
  return address == MAP_FAILED ? NULL : address;
}

void *mk_map_anonymous(size_t capacity) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void *address = mmap(NULL, capacity, PROT_READ | PROT_WRITE, flags, -1, 0);
  return address == MAP_FAILED ? NULL : address;
}

void mk_unmap(void *address, size_t capacity) {
  if (munmap(address, capacity) != 0) abort();
}

// MARK: directories

struct mk_directory {
  DIR *stream;
};

mk_directory *mk_directory_open(const char *path, int *error) {
  mk_directory *directory = malloc(sizeof *directory);
  if (directory == NULL) {
    *error = ENOMEM;
    return NULL;
  }
  directory->stream = opendir(path);
  if (directory->stream == NULL) {
    *error = errno;
    free(directory);
    return NULL;
  }
  *error = 0;
  return directory;
}

static int32_t kind_of_entry(DIR *stream, const struct dirent *entry) {
  switch (entry->d_type) {
  case DT_REG: return MK_FILE;
  case DT_DIR: return MK_DIRECTORY;
  case DT_LNK: return MK_SYMBOLIC_LINK;
  case DT_UNKNOWN: {
    // Some file systems leave the kind out of their directories.
    struct stat found;
    if (fstatat(dirfd(stream), entry->d_name, &found, AT_SYMLINK_NOFOLLOW) != 0) return MK_OTHER;
    return (int32_t)kind_of_mode(found.st_mode);
  }
  default: return MK_OTHER;
  }
}

int mk_directory_next(mk_directory *directory, char *name, size_t room, int32_t *kind) {
  for (;;) {
    errno = 0;
    const struct dirent *entry = readdir(directory->stream);
    if (entry == NULL) return errno == 0 ? 0 : -errno;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    *kind = kind_of_entry(directory->stream, entry);
    size_t size = strlen(entry->d_name) + 1;
    if (size > room) return -ENAMETOOLONG;
    memcpy(name, entry->d_name, size);
    return 1;
  }
}

void mk_directory_close(mk_directory *directory) {
  closedir(directory->stream);
  free(directory);
}

// MARK: the system

void mk_error_text(int code, char *text, size_t room) {
  if (room == 0) return;
#if defined(__GLIBC__)
  char scratch[128];
  snprintf(text, room, "%s", strerror_r(code, scratch, sizeof scratch));
#else
  if (strerror_r(code, text, room) != 0) snprintf(text, room, "error %d", code);
#endif
}

int64_t mk_raise_open_files(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return INT64_MAX;
  if (limit.rlim_cur != limit.rlim_max) {
    struct rlimit raised = {limit.rlim_max, limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return limit.rlim_cur > INT64_MAX ? INT64_MAX : (int64_t)limit.rlim_cur;
}

int64_t mk_file_size_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur > INT64_MAX) return INT64_MAX;
  return (int64_t)limit.rlim_cur;
}

bool mk_is_signal_ignored(int number) {
  struct sigaction action;
  return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static uint64_t fnv1a(const char *bytes, size_t count) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < count; i++) hash = (hash ^ (uint8_t)bytes[i]) * 0x100000001b3u;
  return hash;
}

uint64_t mk_boot_identifier(void) {
  char text[64];
  ssize_t count = -1;
  int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    count = read(fd, text, sizeof text);
    close(fd);
  }
  if (count >= 36) return fnv1a(text, 36);
  int length = snprintf(text, sizeof text, "%lld/%d", (long long)mk_monotonic_ns(), getpid());
  return fnv1a(text, (size_t)length);
}

#define MK_IOC_SHUTDOWN _IOR('X', 125, uint32_t)

int mk_shut_down_file_system(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  uint32_t without_log_flush = 2;
  int error = error_or_zero(ioctl(fd, MK_IOC_SHUTDOWN, &without_log_flush));
  close(fd);
  return error;
}
