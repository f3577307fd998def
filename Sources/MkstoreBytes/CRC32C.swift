public import CMkstoreShims

/// CRC-32C (Castagnoli), the checksum of Kafka's record batches and snapshots.
///
/// Computed with the processor's instructions where it has them, see crc32c.c. Any thread.
public enum CRC32C {
  /// The checksum of `bytes`; 0 for none.
  @inlinable
  public static func checksum(_ bytes: Span<UInt8>) -> UInt32 {
    update(0, bytes)
  }

  /// The checksum of the bytes with checksum `crc` followed by `bytes`.
  @inlinable
  public static func update(_ crc: UInt32, _ bytes: Span<UInt8>) -> UInt32 {
    // Safe: the kernel reads exactly `count` bytes from the start and keeps nothing.
    unsafe bytes.withUnsafeBytes { unsafe mk_crc32c(crc, $0.baseAddress, $0.count) }
  }
}
