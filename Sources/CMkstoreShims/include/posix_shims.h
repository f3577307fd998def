// What Swift cannot import from glibc by itself: GNU-only calls, macros, variadic calls and calls
// whose result is `errno`. Every function returns its result or a negative/positive error number
// as its comment says; none leaves anything in `errno` for the caller to find.

#ifndef MK_POSIX_SHIMS_H
#define MK_POSIX_SHIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// MARK: threads

/// Fills `cpus` with the numbers of the processors this thread may run on, ascending.
/// Returns how many there are (possibly more than `max`, then only `max` were stored) or -errno.
int mk_allowed_cpus(int *_Nonnull cpus, int max);

/// Ties the calling thread to one processor. Threads made later inherit this. 0 or errno.
int mk_pin_thread(int cpu);

/// Gives the calling thread a lower scheduling priority: 0 (as others) to 19 (last). 0 or errno.
int mk_lower_priority(int nice);

/// Names the calling thread; more than 15 bytes are cut. 0 or errno.
int mk_set_thread_name(const char *_Nonnull name);

/// The kernel's id of the calling thread.
int mk_thread_id(void);

/// The processor the calling thread runs on right now, or -1.
int mk_current_cpu(void);

/// Nanoseconds of a clock that never goes back; its zero means nothing.
int64_t mk_monotonic_ns(void);

/// Tells the processor that this is a spin loop.
static inline void mk_cpu_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield" ::: "memory");
#endif
}

/// A mutex with one condition variable, at an address that never moves. ThreadSanitizer sees
/// pthread locks, which it does not of Swift's `Mutex`.
typedef struct mk_monitor mk_monitor;

/// A new monitor; traps where memory is out. Free it with `mk_monitor_destroy`.
mk_monitor *_Nonnull mk_monitor_create(void);
/// Frees a monitor that no thread holds or waits on.
void mk_monitor_destroy(mk_monitor *_Nonnull monitor);
/// Takes the mutex.
void mk_monitor_lock(mk_monitor *_Nonnull monitor);
/// Gives the mutex back.
void mk_monitor_unlock(mk_monitor *_Nonnull monitor);
/// Waits for a signal with the mutex held; may wake for no reason.
void mk_monitor_wait(mk_monitor *_Nonnull monitor);
/// The same for at most `timeout_ns`; false when the time was up.
bool mk_monitor_wait_for(mk_monitor *_Nonnull monitor, int64_t timeout_ns);
/// Wakes one waiter.
void mk_monitor_signal(mk_monitor *_Nonnull monitor);
/// Wakes all waiters.
void mk_monitor_broadcast(mk_monitor *_Nonnull monitor);

// MARK: files

/// Kinds of named objects.
enum mk_file_kind { MK_FILE, MK_DIRECTORY, MK_SYMBOLIC_LINK, MK_OTHER };

/// The result of `mk_status`.
struct mk_file_status {
  uint64_t device;
  uint64_t inode;
  int64_t size;
  int64_t modified_ms;
  int64_t changed_ms;
  /// Milliseconds since 1970, or INT64_MIN if the file system does not report it.
  int64_t created_ms;
  /// The same in nanoseconds.
  int64_t created_ns;
  /// One of `mk_file_kind`.
  int32_t kind;
};

/// Status of a path, following symbolic links. 0 or errno.
int mk_status(const char *_Nonnull path, struct mk_file_status *_Nonnull status);

/// Status of an open file. 0 or errno.
int mk_status_of_descriptor(int fd, struct mk_file_status *_Nonnull status);

/// What `mk_open` may be asked for.
enum mk_open_mode {
  MK_OPEN_READ,
  MK_OPEN_READ_WRITE,
  MK_OPEN_CREATE,
  MK_OPEN_OR_CREATE,
  /// Existing file; each write is durable when it returns (O_DSYNC).
  MK_OPEN_DURABLE_WRITES,
  /// The same past the page cache (O_DIRECT); EINVAL where the file system cannot.
  MK_OPEN_DIRECT,
};

/// open(2), closed on exec, never blocking on a FIFO or device. Only MK_OPEN_READ follows a
/// symbolic link in the last place. New files get mode 0640. Descriptor, never 0 to 2, or -errno;
/// EINTR is left to the caller.
int mk_open(const char *_Nonnull path, enum mk_open_mode mode);

/// open(2) of a directory for fsync. Descriptor, never 0 to 2, or -errno.
int mk_open_directory(const char *_Nonnull path);

/// fsync(2). 0 or errno.
int mk_fsync(int fd);

/// fdatasync(2). 0 or errno.
int mk_fdatasync(int fd);

/// Starts writing a file's changed pages to the disk and does not wait. A hint: what fails shows at
/// the next fdatasync (sync_file_range(2)).
void mk_start_writeback(int fd);

/// Makes a descriptor one of the root directory, so that nothing holds the file that it was open
/// on (dup3(2)); reads through it fail with EISDIR from then on. 0 or errno.
int mk_abandon(int fd);

/// Writes a file's changed pages to the disk, a mebibyte at a time, and waits for each
/// (sync_file_range(2)). 0 or errno.
int mk_write_out(int fd);

/// Whether a page of the file was lost on its way to the disk; reported once for each open of the
/// file, as by fdatasync(2). 0 or errno.
int mk_check_written(int fd);

/// Whether `mk_sync_file_system` proves for every file of the file system that holds `fd` what an
/// fdatasync of the file would: Linux 5.8 (before, syncfs reported no errors) and ext4 (or its
/// predecessors).
bool mk_can_sync_file_system(int fd);

/// Makes everything on the file system that holds `fd` durable (syncfs(2)); `fd` is a regular file
/// that is not written to. 0 or errno.
int mk_sync_file_system(int fd);

/// Opens the kernel's figures of its memory for `mk_pending_bytes`. Descriptor or -errno.
int mk_open_memory_figures(void);

/// Bytes in the page cache that the disks lack, of all processes and file systems; -errno.
int64_t mk_pending_bytes(int figures);

/// pread(2): bytes or -errno.
int64_t mk_pread(int fd, void *_Nonnull bytes, size_t count, int64_t position);

/// pwrite(2): bytes or -errno.
int64_t mk_pwrite(int fd, const void *_Nonnull bytes, size_t count, int64_t position);

/// ftruncate(2). 0 or errno.
int mk_truncate(int fd, int64_t size);

/// fallocate(2) of the first `size` bytes; unlike posix_fallocate it emulates nothing, so
/// EOPNOTSUPP is seen. 0 or errno.
int mk_allocate(int fd, int64_t size);

/// Position of the first hole at or after `position`, the file's size where there is none; -errno.
int64_t mk_next_hole(int fd, int64_t position);

/// Position of the first data at or after `position`; -ENXIO where only a hole follows; -errno.
int64_t mk_next_data(int fd, int64_t position);

/// Pages of the range that the page cache holds: by cachestat(2) (Linux 6.5), elsewhere by
/// mincore(2). -errno where neither tells.
int64_t mk_cached_pages(int fd, int64_t position, int64_t count);

/// The same by mincore(2) alone, which takes a mapping for the moment. -EPERM where the caller
/// neither owns the file nor has it open for writing: mincore would call every page cached.
int64_t mk_cached_pages_by_mincore(int fd, int64_t position, int64_t count);

/// How many names an open file has; -errno.
int64_t mk_link_count(int fd);

/// A file without a name that lives in memory (memfd_create(2)). Descriptor, never 0 to 2, or
/// -errno.
int mk_memory_file(void);

/// Bytes of a page of memory.
int64_t mk_page_bytes(void);

/// Takes an exclusive record lock on the whole file without waiting, such that Java's
/// `FileChannel.tryLock` is refused and refuses us. Two locks make it up, see the .c file. The lock
/// goes with the last descriptor of this open, or with the process.
/// 0 or errno (EAGAIN where another open, here or elsewhere, holds it).
int mk_lock_file(int fd);

/// Process holding the lock that `mk_lock_file` met, this one included; 0 where it is unknown.
int mk_lock_holder(int fd);

/// Gives the lock back at once, even while a child process that is about to exec still holds a copy
/// of the descriptor. 0 or errno.
int mk_unlock_file(int fd);

/// mkdir(2) with mode 0750. 0 or errno.
int mk_make_directory(const char *_Nonnull path);

/// rename(2). 0 or errno.
int mk_rename(const char *_Nonnull source, const char *_Nonnull destination);

/// unlink(2). 0 or errno.
int mk_remove(const char *_Nonnull path);

/// rmdir(2). 0 or errno.
int mk_remove_directory(const char *_Nonnull path);

/// statvfs(3): bytes of the file system, and those that an unprivileged writer may still allocate.
/// 0 or errno.
int mk_space(const char *_Nonnull path, int64_t *_Nonnull total, int64_t *_Nonnull available);

/// mmap(2), shared, from the file's first byte. Address, or NULL with the number in `error`.
void *_Nullable mk_map(int fd, size_t capacity, bool writable, int *_Nonnull error);

/// mmap(2) of zeroed private memory that costs nothing until touched. NULL where memory is out.
void *_Nullable mk_map_anonymous(size_t capacity);

/// munmap(2); traps where the range is no mapping.
void mk_unmap(void *_Nonnull address, size_t capacity);

/// An open directory stream.
typedef struct mk_directory mk_directory;

/// Opens a directory for listing; NULL with the number in `error`.
mk_directory *_Nullable mk_directory_open(const char *_Nonnull path, int *_Nonnull error);

/// The next name but `.` and `..`: 1 with `name` (NUL-terminated) and `kind` set, 0 at the end, or
/// -errno: -ENAMETOOLONG where there is too little room.
int mk_directory_next(mk_directory *_Nonnull directory, char *_Nonnull name, size_t room,
                      int32_t *_Nonnull kind);

/// Closes the stream.
void mk_directory_close(mk_directory *_Nonnull directory);

/// The system's text for an error number, NUL-terminated, safe on any thread.
void mk_error_text(int code, char *_Nonnull text, size_t room);

/// Raises the soft limit of open files to the hard one, where that is allowed. The limit in force.
int64_t mk_raise_open_files(void);

/// Largest size that the process may give a file (RLIMIT_FSIZE); INT64_MAX where there is no limit.
int64_t mk_file_size_limit(void);

/// Whether the process was started with this signal ignored, as nohup does with SIGHUP.
bool mk_is_signal_ignored(int number);

/// A hash of this boot's random id. Where the system hides it: a value that differs in each
/// process, which claims nothing about the page cache.
uint64_t mk_boot_identifier(void);

/// Shuts the file system holding `path` down at once without flushing its journal (flag 2 of
/// FS_IOC_SHUTDOWN on ext4 and XFS): a power cut for tests. Needs root. 0 or errno.
int mk_shut_down_file_system(const char *_Nonnull path);

#ifdef __cplusplus
}
#endif

#endif
