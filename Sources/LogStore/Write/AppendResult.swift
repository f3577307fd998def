/// The result of an append.
///
/// ```swift
/// let result = try await log.append([NewRecord(value: "2 apples"), NewRecord(value: "1 pear")])
/// print("offsets \(result.baseOffset) to \(result.lastOffset), durable: \(result.isDurable)")
/// ```
public struct AppendResult: Sendable, Equatable {
  /// Offset of the first appended record.
  public var baseOffset: Int64
  /// Offset of the last appended record.
  public var lastOffset: Int64
  /// The batch's time if the log sets it (`timestampType` LogAppendTime), else -1.
  public var logAppendTimeMs: Int64
  /// Whether the records would survive a power cut now.
  public var isDurable: Bool
  /// Whether the log already had the batch: its producer sent it again. The offsets are those of
  /// the first append, and `logAppendTimeMs` is the batch's greatest timestamp.
  public var isDuplicate = false
}
