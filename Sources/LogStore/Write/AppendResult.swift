/// What an append gave.
public struct AppendResult: Sendable, Equatable {
  /// Offset of the first appended record.
  public var baseOffset: Int64
  /// Offset of the last appended record.
  public var lastOffset: Int64
  /// The batch's time where the log stamps it (`timestampType` LogAppendTime), else -1.
  public var logAppendTimeMs: Int64
  /// Whether the records would survive a power cut now.
  public var isDurable: Bool
  /// Whether the log had the batch already: its producer sent it again. The offsets are those it
  /// got then, and `logAppendTimeMs` is its greatest timestamp.
  public var isDuplicate = false
}
