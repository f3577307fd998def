/// What a record's timestamp means: bit 3 of the batch's attributes.
///
/// ```swift
/// let header = batch.header
/// if header.timestampType == .logAppendTime { print("appended at \(header.maxTimestamp)") }
/// ```
public enum TimestampType: Int8, Sendable, BitwiseCopyable, CustomStringConvertible {
  /// Set by the producer, for each record.
  case createTime = 0
  /// Set by the log when it accepted the batch; one for all its records.
  case logAppendTime = 1

  /// Kafka's name for it.
  public var description: String {
    switch self {
    case .createTime: "CreateTime"
    case .logAppendTime: "LogAppendTime"
    }
  }
}
