internal import RecordFormat

/// Decides whether a client's batch may be appended, as Kafka's `LogValidator` does, and corrects
/// its times. Any thread.
struct BatchIntake: Sendable {
  private let log: LogEnvironment
  /// Idle decoders.
  private let validators = ReusePool<BatchValidator>()

  init(_ log: LogEnvironment) {
    self.log = log
  }

  /// Checks a batch, every record of it, and corrects in place what Kafka corrects: its base offset
  /// and leader epoch (set by the log), its largest timestamp, and, if the records' own times
  /// count, the type LogAppendTime.
  ///
  /// - Parameter decoded: The batch's header, if it was decoded before.
  /// - Returns: The batch's header afterwards.
  func admit(
    _ batch: inout MutableSpan<UInt8>, decoded: BatchHeader?
  ) throws(LogError) -> BatchHeader {
    // Before the batch is checked against settings that are not the topic's.
    if let fault = log.settingsFault { throw fault }
    guard batch.count <= log.config.maxMessageBytes else {
      throw .recordTooLarge(bytes: batch.count, limit: log.config.maxMessageBytes)
    }
    if batch.count >= BatchHeader.byteCountMin {
      assignOffset(&batch, baseOffset: 0, leaderEpoch: -1)
    }
    let validator = validators.take(where: { _ in true }) { BatchValidator() }
    defer { validators.give(validator) }
    var decoded = decoded
    decoded?.place(at: 0, leaderEpoch: -1)
    var (header, records) = try check(batch.span, decoded, by: validator)
    try checkTimes(header, records)
    if header.timestampType == .logAppendTime {
      clearLogAppendTime(&batch)
      // From here on the records' own times count.
      (header, records) = try check(batch.span, nil, by: validator)
    }
    if header.maxTimestamp != records.maxTimestamp {
      rewriteMaxTimestamp(&batch, timestamp: records.maxTimestamp)
      header.maxTimestamp = records.maxTimestamp
    }
    return header
  }

  private func check(
    _ batch: Span<UInt8>, _ header: BatchHeader?, by validator: BatchValidator
  ) throws(LogError) -> (header: BatchHeader, records: BatchSummary) {
    try validator.check(
      batch, header: header, maxMessageBytes: log.config.maxMessageBytes,
      needsKeys: log.needsKeys)
  }

  /// Kafka's rules for the times of a client's batch (`LogValidator.validateTimestamp`). If
  /// producers set the time, it must be within the topic's limits, and the type LogAppendTime is
  /// ignored. If the log sets the time, or a record has none, the type is refused.
  private func checkTimes(_ header: BatchHeader, _ records: BatchSummary) throws(LogError) {
    let config = log.config
    if header.timestampType == .logAppendTime,
      config.timestampType == .logAppendTime || header.maxTimestamp == -1
    {
      throw .invalidTimestamp(
        found: header.maxTimestamp, reason: "a producer must not set the type LogAppendTime")
    }
    let (before, after) = (config.timestampBeforeMaxMs, config.timestampAfterMaxMs)
    guard config.timestampType == .createTime, min(before, after) < .max,
      let earliest = records.minTimestamp
    else { return }
    let nowMs = log.context.nowMs()
    let (oldest, isUnbounded) = nowMs.subtractingReportingOverflow(before)
    guard isUnbounded || earliest >= oldest else {
      throw .invalidTimestamp(
        found: earliest, reason: "more than message.timestamp.before.max.ms = \(before) ago")
    }
    let (newest, isEndless) = nowMs.addingReportingOverflow(after)
    guard isEndless || records.maxTimestamp <= newest else {
      throw .invalidTimestamp(
        found: records.maxTimestamp,
        reason: "more than message.timestamp.after.max.ms = \(after) ahead")
    }
  }
}
