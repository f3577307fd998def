/// Where a segment ends: its next offset, relative to its base, and the position after its last
/// byte, packed in one word so that no reader sees one without the other.
///
/// Kafka's 2 GiB limit on segments and int32 limit on relative offsets make both fit.
package struct SegmentEnd: Sendable, Equatable {
  /// Next offset minus base offset, 0 … 2^31.
  var relativeOffset: UInt32
  /// Bytes of whole batches, 0 … 2^32-1.
  package var position: UInt32

  package init(relativeOffset: UInt32, position: UInt32) {
    self.relativeOffset = relativeOffset
    self.position = position
  }

  package init(packed: UInt64) {
    relativeOffset = UInt32(packed >> 32)
    position = UInt32(truncatingIfNeeded: packed)
  }

  package var packed: UInt64 { UInt64(relativeOffset) << 32 | UInt64(position) }
}
