import MkstoreBytes

/// The few fields of an entry that are needed to step through checked batches.
///
/// A walk over bytes whose CRC was checked need not check every field again: this reads four and
/// costs a fraction of `BatchHeader`. Never for unchecked bytes.
package struct BatchBrief: Sendable, Equatable {
  /// As `BatchHeader`'s.
  package let baseOffset: Int64
  package let lastOffset: Int64
  package let byteCount: Int
  /// Magic 0 or 1: `baseOffset` may be that of the last message.
  package let isLegacy: Bool

  /// Offset after the last record.
  @inlinable
  package var nextOffset: Int64 { lastOffset &+ 1 }

  @inlinable
  init(baseOffset: Int64, lastOffset: Int64, byteCount: Int, isLegacy: Bool) {
    self.baseOffset = baseOffset
    self.lastOffset = lastOffset
    self.byteCount = byteCount
    self.isLegacy = isLegacy
  }

  /// Reads an entry's first bytes; nil if they cannot be an entry's.
  @inlinable
  package init?(_ bytes: Span<UInt8>) {
    guard bytes.count >= BatchHeader.byteCountMin,
      bytes.loadBigEndian(Int8.self, at: BatchLayout.magic) == 2
    else {
      self.init(legacy: bytes)
      return
    }
    let baseOffset = bytes.loadBigEndian(Int64.self, at: BatchLayout.baseOffset)
    let length = bytes.loadBigEndian(Int32.self, at: BatchLayout.batchLength)
    let delta = Int64(bytes.loadBigEndian(Int32.self, at: BatchLayout.lastOffsetDelta))
    guard length >= BatchLayout.batchLengthMin, baseOffset >= 0, delta >= 0,
      baseOffset < Int64.max &- delta
    else { return nil }
    self.init(
      baseOffset: baseOffset, lastOffset: baseOffset &+ delta,
      byteCount: BatchLayout.lengthOverhead &+ Int(length), isLegacy: false)
  }

  @usableFromInline
  init?(legacy bytes: Span<UInt8>) {
    do throws(BatchError) {
      let header = try BatchHeader(bytes)
      self.init(
        baseOffset: header.baseOffset, lastOffset: header.lastOffset, byteCount: header.byteCount,
        isLegacy: header.isLegacy)
    } catch {
      return nil
    }
  }
}
