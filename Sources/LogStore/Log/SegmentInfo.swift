/// One segment, for people and metrics.
///
/// ```swift
/// let segments = try log.segmentInfo()
/// print("\(segments.count) segments, \(segments.reduce(0) { $0 + $1.bytes }) bytes")
/// ```
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
