// CRC-32C (Castagnoli) with the fastest instructions that the processor has, chosen once at load.

#ifndef MK_CRC32C_H
#define MK_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The ways to compute it, slowest first.
enum mk_crc32c_kind {
  /// Slicing-by-8 tables; runs everywhere.
  MK_CRC32C_TABLE,
  /// The crc32 instruction of SSE4.2, three streams joined by PCLMULQDQ.
  MK_CRC32C_SSE42,
  /// Folding of 256 bytes a step by VPCLMULQDQ on 512-bit registers.
  MK_CRC32C_AVX512,
  /// The crc32c instructions of ARMv8.
  MK_CRC32C_ARM,
  MK_CRC32C_KINDS
};

/// Continues `crc` (0 to begin with) over `count` bytes. Any thread.
uint32_t mk_crc32c(uint32_t crc, const void *_Nullable bytes, size_t count);

/// The kind that `mk_crc32c` uses on this machine.
int mk_crc32c_kind_in_use(void);

/// Whether this machine can run `kind`.
bool mk_crc32c_can_use(int kind);

/// `mk_crc32c` by one kind, for tests and benchmarks; the kind must be usable, or this traps.
uint32_t mk_crc32c_by(int kind, uint32_t crc, const void *_Nullable bytes, size_t count);

#ifdef __cplusplus
}
#endif

#endif
