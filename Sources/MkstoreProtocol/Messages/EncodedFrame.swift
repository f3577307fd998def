import MkstoreBytes

/// An encoded message: its own bytes, and gaps for the records.
///
/// The bytes start with the frame's 4-byte size, which counts the gaps. Send the `segments` in
/// order: bytes from memory, records with sendfile or from wherever they are.
public struct EncodedFrame: Sendable, Equatable {
  /// Everything except the records.
  public let bytes: [UInt8]

  /// Where records go, by rising position; empty ones are left out.
  public let gaps: [RecordsGap]

  /// How many bytes go over the wire.
  public var byteCount: Int {
    gaps.reduce(bytes.count) { $0 + $1.source.count }
  }

  /// The pieces in the order to send them.
  public var segments: [FrameSegment] {
    var segments: [FrameSegment] = []
    segments.reserveCapacity(2 * gaps.count + 1)
    var start = 0
    for gap in gaps {
      if gap.position > start { segments.append(.bytes(start..<gap.position)) }
      segments.append(.records(gap.source))
      start = gap.position
    }
    if start < bytes.count { segments.append(.bytes(start..<bytes.count)) }
    return segments
  }

  /// The whole frame in one piece, with every gap filled from the same range of `source`.
  public func filled(from source: Span<UInt8>) -> [UInt8] {
    var frame = [UInt8](repeating: 0, count: byteCount)
    var position = 0
    var target = frame.mutableSpan
    for segment in segments {
      switch segment {
      case .bytes(let range):
        target.copy(bytes.span.extracting(range), at: position)
        position += range.count
      case .records(let range):
        target.copy(source.extracting(range.range), at: position)
        position += range.count
      }
    }
    return frame
  }
}
