// Copying to and from memory-mapped files without dying of them.
//
// Touching a mapped page that its file does not back any more (another process cut the file), or
// that the disk cannot read, makes the kernel send SIGBUS. Here that is a result of the copy.

#ifndef MK_GUARDED_COPY_H
#define MK_GUARDED_COPY_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Installs the process's handler of SIGBUS that the functions below need: it turns a fault within
/// them into a result and hands every other SIGBUS on to the action that was set before, or to the
/// default one. Any thread, any number of times; only the first call does something. 0 or errno.
///
/// The threads that copy must not block SIGBUS, and a handler that is set later must hand on what
/// is not its own.
int mk_guard_install(void);

/// Copies `count` bytes; one of the ranges may be mapped from a file. Ranges do not overlap.
/// 0, or 1 where a byte could not be reached (a part may then have been copied). Any thread.
///
/// 4, 8, 12 and 16 bytes take a few instructions. Without `mk_guard_install` a fault ends the
/// process.
int mk_guarded_copy(void *_Nonnull target, const void *_Nonnull source, size_t count);

/// The same by sigsetjmp, as on processors that `mk_guarded_copy` has no assembly for; here for
/// tests.
int mk_guarded_copy_portable(void *_Nonnull target, const void *_Nonnull source, size_t count);

/// Makes whole pages fault with SIGBUS when they are touched, as pages of a file that was cut do:
/// for simulation. `address` and `count` are multiples of the page size. 0 or errno.
int mk_make_faulting(void *_Nonnull address, size_t count);

#ifdef __cplusplus
}
#endif

#endif
