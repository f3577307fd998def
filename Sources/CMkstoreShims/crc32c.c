// CRC-32C kernels. The polynomial is 0x1EDC6F41, reflected 0x82F63B78: bit 31 of a word represents
// x^0. Kernels take and return the inner value, without the inversions before and after.

#include "crc32c.h"

#include <string.h>

#define POLYNOMIAL 0x82F63B78u

typedef uint32_t (*kernel)(uint32_t state, const uint8_t *bytes, size_t count);

static uint32_t table[8][256];
static bool usable[MK_CRC32C_KINDS];
static kernel kernels[MK_CRC32C_KINDS];
static int in_use = MK_CRC32C_TABLE;

// MARK: the portable kernel

static void make_table(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; bit++) value = value & 1 ? (value >> 1) ^ POLYNOMIAL : value >> 1;
    table[0][byte] = value;
  }
  for (int slice = 1; slice < 8; slice++)
    for (int byte = 0; byte < 256; byte++) {
      uint32_t value = table[slice - 1][byte];
      table[slice][byte] = (value >> 8) ^ table[0][value & 0xff];
    }
}

static uint32_t by_table(uint32_t state, const uint8_t *bytes, size_t count) {
  for (; count >= 8; bytes += 8, count -= 8) {
    // Byte by byte, so that the machine's byte order does not matter; compilers make it one load.
    uint32_t low = state ^ ((uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 |
                            (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24);
    state = table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^ table[5][low >> 16 & 0xff] ^
            table[4][low >> 24] ^ table[3][bytes[4]] ^ table[2][bytes[5]] ^ table[1][bytes[6]] ^
            table[0][bytes[7]];
  }
  for (; count; bytes++, count--) state = (state >> 8) ^ table[0][(state ^ *bytes) & 0xff];
  return state;
}

// MARK: x86-64

#if defined(__x86_64__)
#include <immintrin.h>

// The product of two remainders, modulo the polynomial; neither is 0.
static uint32_t multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = 1u << 31; bit; bit >>= 1) {
    if (a & bit) product ^= b;
    b = b & 1 ? (b >> 1) ^ POLYNOMIAL : b >> 1;
  }
  return product;
}

// x^n modulo the polynomial.
static uint32_t power_of_x(uint32_t n) {
  uint32_t result = 1u << 31, square = 1u << 30;
  for (; n; n >>= 1) {
    if (n & 1) result = multiply(result, square);
    square = multiply(square, square);
  }
  return result;
}

// Bytes of one of the three streams, for long and for short inputs.
enum { LONG_LANE = 1024, SHORT_LANE = 128 };
static uint64_t long_shift[2], short_shift[2];

// Moving a state past `lane` zero bytes is a product with x^(8 lane). A carry-less product of two
// reflected words is one power too high, and the crc32 instruction multiplies by x^32: hence the 33
// less.
static void make_shifts(uint64_t shift[2], uint32_t lane) {
  shift[0] = power_of_x(8 * lane - 33);
  shift[1] = power_of_x(16 * lane - 33);
}

#define SSE42 __attribute__((target("sse4.2,pclmul")))

static inline uint64_t load64(const uint8_t *bytes) {
  uint64_t value;
  memcpy(&value, bytes, 8);
  return value;
}

SSE42 static inline uint32_t three_lanes(uint32_t state, const uint8_t *bytes, size_t lane,
                                         const uint64_t shift[2]) {
  uint64_t first = state, second = 0, third = 0;
  for (size_t at = 0; at < lane; at += 8) {
    first = _mm_crc32_u64(first, load64(bytes + at));
    second = _mm_crc32_u64(second, load64(bytes + lane + at));
    third = _mm_crc32_u64(third, load64(bytes + 2 * lane + at));
  }
  __m128i moved = _mm_xor_si128(
      _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)first),
                           _mm_cvtsi64_si128((long long)shift[1]), 0),
      _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)second),
                           _mm_cvtsi64_si128((long long)shift[0]), 0));
  return (uint32_t)(_mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(moved)) ^ third);
}

SSE42 static uint32_t by_sse42(uint32_t state, const uint8_t *bytes, size_t count) {
  for (; count >= 3 * LONG_LANE; bytes += 3 * LONG_LANE, count -= 3 * LONG_LANE)
    state = three_lanes(state, bytes, LONG_LANE, long_shift);
  for (; count >= 3 * SHORT_LANE; bytes += 3 * SHORT_LANE, count -= 3 * SHORT_LANE)
    state = three_lanes(state, bytes, SHORT_LANE, short_shift);
  uint64_t wide = state;
  for (; count >= 8; bytes += 8, count -= 8) wide = _mm_crc32_u64(wide, load64(bytes));
  state = (uint32_t)wide;
  for (; count; bytes++, count--) state = _mm_crc32_u8(state, *bytes);
  return state;
}

// What moves 16 bytes ahead by a distance: the first for their first half, the second for the
// other.
struct fold {
  uint64_t halves[2];
};
static struct fold fold256, fold192, fold128, fold64, fold48, fold32, fold16;

static struct fold make_fold(uint32_t distance) {
  return (struct fold){{power_of_x(8 * distance + 31), power_of_x(8 * distance - 33)}};
}

#define AVX512 __attribute__((target("sse4.2,pclmul,avx512f,avx512vl,vpclmulqdq")))

AVX512 static inline __m512i wide_fold(const struct fold *fold) {
  return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)fold->halves));
}

AVX512 static inline __m512i ahead(__m512i value, __m512i fold, __m512i onto) {
  // 0x96: exclusive or of all three.
  return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(value, fold, 0x00),
                                   _mm512_clmulepi64_epi128(value, fold, 0x11), onto, 0x96);
}

AVX512 static inline __m128i ahead128(__m128i value, const struct fold *fold, __m128i onto) {
  __m128i by = _mm_loadu_si128((const __m128i *)fold->halves);
  return _mm_xor_si128(onto, _mm_xor_si128(_mm_clmulepi64_si128(value, by, 0x00),
                                           _mm_clmulepi64_si128(value, by, 0x11)));
}

AVX512 static uint32_t by_avx512(uint32_t state, const uint8_t *bytes, size_t count) {
  if (count < 256) return by_sse42(state, bytes, count);
  __m512i a = _mm512_loadu_si512(bytes), b = _mm512_loadu_si512(bytes + 64),
          c = _mm512_loadu_si512(bytes + 128), d = _mm512_loadu_si512(bytes + 192);
  a = _mm512_xor_si512(a, _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)state)));
  bytes += 256, count -= 256;

  __m512i by256 = wide_fold(&fold256);
  for (; count >= 256; bytes += 256, count -= 256) {
    a = ahead(a, by256, _mm512_loadu_si512(bytes));
    b = ahead(b, by256, _mm512_loadu_si512(bytes + 64));
    c = ahead(c, by256, _mm512_loadu_si512(bytes + 128));
    d = ahead(d, by256, _mm512_loadu_si512(bytes + 192));
  }
  d = ahead(a, wide_fold(&fold192), d);
  d = ahead(b, wide_fold(&fold128), d);
  __m512i by64 = wide_fold(&fold64);
  d = ahead(c, by64, d);
  for (; count >= 64; bytes += 64, count -= 64) d = ahead(d, by64, _mm512_loadu_si512(bytes));

  __m128i last = _mm512_extracti32x4_epi32(d, 3);
  last = ahead128(_mm512_extracti32x4_epi32(d, 0), &fold48, last);
  last = ahead128(_mm512_extracti32x4_epi32(d, 1), &fold32, last);
  last = ahead128(_mm512_extracti32x4_epi32(d, 2), &fold16, last);
  uint64_t wide = _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(last));
  wide = _mm_crc32_u64(wide, (uint64_t)_mm_extract_epi64(last, 1));
  return by_sse42((uint32_t)wide, bytes, count);
}

static void find_hardware(void) {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("sse4.2") || !__builtin_cpu_supports("pclmul")) return;
  make_shifts(long_shift, LONG_LANE);
  make_shifts(short_shift, SHORT_LANE);
  kernels[MK_CRC32C_SSE42] = by_sse42;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512vl") ||
      !__builtin_cpu_supports("vpclmulqdq"))
    return;
  fold256 = make_fold(256), fold192 = make_fold(192), fold128 = make_fold(128);
  fold64 = make_fold(64), fold48 = make_fold(48), fold32 = make_fold(32), fold16 = make_fold(16);
  kernels[MK_CRC32C_AVX512] = by_avx512;
}

// MARK: AArch64

#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1 << 7)
#endif

__attribute__((target("+crc"))) static uint32_t by_arm(uint32_t state, const uint8_t *bytes,
                                                      size_t count) {
  for (; count >= 8; bytes += 8, count -= 8) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    state = __crc32cd(state, word);
  }
  for (; count; bytes++, count--) state = __crc32cb(state, *bytes);
  return state;
}

static void find_hardware(void) {
  if (getauxval(AT_HWCAP) & HWCAP_CRC32) kernels[MK_CRC32C_ARM] = by_arm;
}

#else
static void find_hardware(void) {}
#endif

// MARK: dispatch

// Runs before any thread of this program, so the rest only reads what is set here.
__attribute__((constructor)) static void choose(void) {
  make_table();
  kernels[MK_CRC32C_TABLE] = by_table;
  find_hardware();
  for (int kind = 0; kind < MK_CRC32C_KINDS; kind++)
    if (kernels[kind]) usable[kind] = true, in_use = kind;
}

uint32_t mk_crc32c(uint32_t crc, const void *bytes, size_t count) {
  return ~kernels[in_use](~crc, bytes, count);
}

int mk_crc32c_kind_in_use(void) { return in_use; }

bool mk_crc32c_can_use(int kind) { return kind >= 0 && kind < MK_CRC32C_KINDS && usable[kind]; }

uint32_t mk_crc32c_by(int kind, uint32_t crc, const void *bytes, size_t count) {
  if (!mk_crc32c_can_use(kind)) __builtin_trap();
  return ~kernels[kind](~crc, bytes, count);
}
