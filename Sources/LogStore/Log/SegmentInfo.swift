/// One segment, for people and metrics.
public struct SegmentInfo: Sendable, Equatable {
  /// First offset the segment may hold.
  public var baseOffset: Int64
  /// Path of its `.log` file.
  public var path: String
  /// Bytes of whole batches.
  public var bytes: Int
  /// Whether it is the one that is appended to.
  public var isActive: Bool
}
