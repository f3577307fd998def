/// A moment in milliseconds, as records have it.
///
/// ```swift
/// let recent = try await log.firstRecord(since: .now - .seconds(60))
/// ```
public struct Timestamp: Sendable, Hashable, Comparable {
  /// Milliseconds since 1970-01-01 UTC; negative before.
  public var millisecondsSince1970: Int64

  /// A moment of its milliseconds.
  public init(millisecondsSince1970: Int64) {
    self.millisecondsSince1970 = millisecondsSince1970
  }

  /// The present moment, by the system's clock.
  public static var now: Timestamp { Timestamp(millisecondsSince1970: WallClock.nowMs()) }

  /// The moment `duration` later, to the millisecond; the last or first one there is where that is
  /// beyond it.
  public static func + (time: Timestamp, duration: Duration) -> Timestamp {
    let (sum, isTooLarge) = time.millisecondsSince1970.addingReportingOverflow(
      duration.milliseconds)
    let limit = duration.milliseconds < 0 ? Int64.min : Int64.max
    return Timestamp(millisecondsSince1970: isTooLarge ? limit : sum)
  }

  /// The moment `duration` earlier.
  public static func - (time: Timestamp, duration: Duration) -> Timestamp {
    time + (.zero - duration)
  }

  /// Whether one moment comes before the other.
  public static func < (one: Timestamp, other: Timestamp) -> Bool {
    one.millisecondsSince1970 < other.millisecondsSince1970
  }
}

extension Duration {
  /// Whole milliseconds; the largest or smallest number where there are more.
  fileprivate var milliseconds: Int64 {
    let (seconds, isTooLarge) = components.seconds.multipliedReportingOverflow(by: 1000)
    let part = components.attoseconds / 1_000_000_000_000_000
    let (sum, overflow) = seconds.addingReportingOverflow(part)
    if isTooLarge || overflow { return components.seconds < 0 ? .min : .max }
    return sum
  }
}
