/// One piece of a frame to send.
public enum FrameSegment: Sendable, Equatable {
  /// These positions of `EncodedFrame.bytes`.
  case bytes(Range<Int>)

  /// Record data of the caller, identified by the range it gave.
  case records(ByteRange)
}
