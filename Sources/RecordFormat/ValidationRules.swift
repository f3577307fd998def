/// Requirements for a batch.
///
/// ```swift
/// try batch.validate(.produced(maxMessageBytes: 1_048_588), decoder: &decoder)
/// ```
public enum ValidationRules: Sendable, Equatable {
  /// What a log may hold: the checksum is right, and every record decodes and fits the header.
  /// Gaps, control batches, old formats and batches without records are legal.
  case stored
  /// For batches from producers: magic 2 with base offset 0, at most `maxMessageBytes` as stored,
  /// at least one record, offset deltas 0, 1, 2…, no control batch, no delete horizon, a sequence
  /// number with a producer id, and CreateTime, unless the caller clears the type LogAppendTime as
  /// Kafka does (`takesLogAppendTime`).
  case produced(maxMessageBytes: Int, takesLogAppendTime: Bool = false)
}
