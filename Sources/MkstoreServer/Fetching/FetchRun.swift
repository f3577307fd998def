internal import CoreMetrics
internal import DiskIO
internal import LogStore
internal import Logging
internal import MkstoreProtocol
internal import RecordFormat

/// One fetch from its request to its answer: reads each partition in turn and applies the limits.
///
/// Safe to send (`@unchecked Sendable`): owned by one thread at a time. The event loop passes it to
/// a fetcher thread if a disk may be needed and gets it back with the hop to the loop; the queues'
/// locks order the two.
final class FetchRun: @unchecked Sendable {
  let header: RequestHeader
  private let request: FetchRequest
  private let broker: Broker
  private(set) var parts: [FetchPart]
  private(set) var hasError = false
  /// Bytes of records found so far.
  private(set) var byteCount = 0
  private let bytesMax: Int
  private var next = 0

  /// - Parameter reader: This client's cursor in a log.
  init(
    _ request: FetchRequest, _ header: RequestHeader, _ broker: Broker, reader: (Log) -> LogReader
  ) {
    self.request = request
    self.header = header
    self.broker = broker
    bytesMax = max(0, min(Int(request.maxBytes), broker.config.fetchBytesMax))
    parts = request.topics.enumerated().flatMap { index, topic in
      let known = broker.topics.named(topic.topic)
      return topic.partitions.map { asked in
        let log = known?.logs[asked.partition]
        return FetchPart(topic: index, asked: asked, source: log.map { ($0, reader($0)) })
      }
    }
  }

  // MARK: Collecting

  /// Whether there is enough to answer, whatever the time.
  var isSatisfied: Bool {
    hasError || byteCount >= Int(request.minBytes) || parts.isEmpty || request.maxWaitMs <= 0
  }

  /// Starts over: discards what was found.
  func reset() {
    next = 0
    byteCount = 0
    hasError = false
    for index in parts.indices { parts[index].records = nil }
  }

  /// Reads the partitions that were not read yet.
  ///
  /// - Parameter mayWait: Whether this thread may wait for a disk.
  /// - Returns: False if a disk may be needed and this thread may not wait; call again on one that
  ///   may.
  func collect(mayWait: Bool) -> Bool {
    while next < parts.count {
      guard look(&parts[next], mayWait: mayWait) else { return false }
      next += 1
    }
    return true
  }

  private func look(_ part: inout FetchPart, mayWait: Bool) -> Bool {
    part.answer = .with {
      $0.partitionIndex = part.asked.partition
      $0.highWatermark = -1
      $0.records = ByteRange(offset: 0, count: 0)
    }
    guard let (log, reader) = part.source, !log.health.isDeleted else {
      let name = request.topics[part.topic].topic
      return refuse(&part, broker.missing(name, part.asked.partition))
    }
    // It has failed and was opened again: the client asks once more, and finds the new one.
    if log.health.isGivenUp { return refuse(&part, .notLeaderOrFollower) }
    let epoch = OffsetAnswers(broker).checkEpoch(part.asked.currentLeaderEpoch, log)
    if epoch != .none { return refuse(&part, epoch) }
    if let outcome = checkLastFetched(&part, log) { return outcome }
    if !mayWait, !isAtHand(log) { return false }
    let end = log.highWatermark
    let stableEnd: Int64
    do throws(LogError) {
      stableEnd = min(end, try log.lastStableOffset)
    } catch {
      // Fetches that do not depend on transactions are served without them.
      if request.isReadCommitted { return refuse(&part, error, log) }
      stableEnd = -1
    }
    // An open transaction is a broker's, and only a broker ends it: appends do not move the stable
    // offset.
    part.awaitedEnd = request.isReadCommitted && stableEnd < end ? Int64.max : end
    let offset = part.asked.fetchOffset
    guard offset >= log.logStartOffset, offset <= log.logEndOffset else {
      return refuse(&part, .offsetOutOfRange)
    }
    part.answer.highWatermark = end
    part.answer.lastStableOffset = stableEnd
    part.answer.logStartOffset = log.logStartOffset
    if request.isReadCommitted { part.answer.abortedTransactions = [] }
    let limit = request.isReadCommitted ? stableEnd : end
    let bytesLeft = min(Int(part.asked.partitionMaxBytes), bytesMax - byteCount)
    // The first batch of the whole answer is sent whole, so that a client makes progress (KIP-74).
    guard offset < limit, bytesLeft > 0 || byteCount == 0 else { return true }
    do throws(LogError) {
      guard let found = try read(reader, offset, max(1, bytesLeft), below: limit, mayWait) else {
        return false
      }
      if let records = found, byteCount == 0 || records.byteCount <= bytesLeft {
        try take(records, log, &part)
      }
    } catch {
      return refuse(&part, error, log)
    }
    return true
  }

  /// Compares the epoch of the record that the client read last with ours. If the logs diverge, the
  /// client gets the place (KIP-595); an epoch that we never had is an error. nil: they agree, or
  /// the client does not say.
  private func checkLastFetched(_ part: inout FetchPart, _ log: Log) -> Bool? {
    let asked = part.asked.lastFetchedEpoch
    guard asked >= 0, asked != log.leaderEpoch else { return nil }
    guard let end = log.endOffset(forLeaderEpoch: asked) else {
      return refuse(&part, .offsetOutOfRange)
    }
    guard end.leaderEpoch < asked || end.endOffset < part.asked.fetchOffset else { return nil }
    part.answer.highWatermark = log.highWatermark
    part.answer.lastStableOffset = log.highWatermark
    part.answer.logStartOffset = log.logStartOffset
    part.answer.divergingEpoch = .with {
      $0.epoch = end.leaderEpoch
      $0.endOffset = end.endOffset
    }
    // Answered at once, as an error is.
    hasError = true
    return true
  }

  /// The records from `offset` up to `limit`; nil if a disk may be needed and must not be used; nil
  /// inside if there are none.
  private func read(
    _ reader: LogReader, _ offset: Int64, _ maxBytes: Int, below limit: Int64, _ mayWait: Bool
  ) throws(LogError) -> FileRecords?? {
    if mayWait {
      return .some(try reader.read(from: offset, maxBytes: maxBytes, below: limit))
    }
    switch try reader.readHot(from: offset, maxBytes: maxBytes, below: limit) {
    case .records(let records): return .some(records)
    case .nothing: return .some(nil)
    case .cold: return nil
    }
  }

  /// Whether the transaction information is available without the disk.
  private func isAtHand(_ log: Log) -> Bool {
    log.isProducerStateLoaded && !(request.isReadCommitted && log.mayHoldAbortedTransactions)
  }

  private func take(
    _ records: FileRecords, _ log: Log, _ part: inout FetchPart
  ) throws(LogError) {
    if request.isReadCommitted {
      let offset = part.asked.fetchOffset
      part.answer.abortedTransactions = try log.abortedTransactions(
        from: offset, to: records.nextOffset
      ).map { aborted in
        .with {
          $0.producerId = aborted.producerId
          $0.firstOffset = aborted.firstOffset
        }
      }
    }
    part.records = records
    byteCount += records.byteCount
  }

  private func refuse(_ part: inout FetchPart, _ error: LogError, _ log: Log) -> Bool {
    switch error.kind {
    case .offsetOutOfRange
    where part.asked.fetchOffset <= log.logEndOffset
      && part.asked.fetchOffset >= log.logStartOffset:
      // The end moved between two reads: there is nothing yet.
      return true
    case .corrupt(let range):
      broker.rateLimitedLog.log(
        .warning, cause: "damage in \(log.topicPartition)",
        "a fetch met a damaged range",
        metadata: ["log": "\(log.topicPartition)", "range": "\(range)"])
    case .offsetOutOfRange, .closed: break
    default:
      broker.rateLimitedLog.log(
        .error, cause: "fetch: \(error.refusalCause)", "a fetch failed",
        metadata: ["log": "\(log.topicPartition)", "error": "\(error)"])
    }
    return refuse(&part, ErrorCode(error))
  }

  private func refuse(_ part: inout FetchPart, _ code: ErrorCode) -> Bool {
    broker.metrics.refused(code.rawValue)
    broker.metrics.failedFetches.increment()
    part.answer.errorCode = code
    part.answer.highWatermark = -1
    hasError = true
    return true
  }

  // MARK: Answering

  /// The answer with what was found.
  func answer() throws(ProtocolError) -> Answer {
    var records: [FileRecords] = []
    var response = FetchResponse()
    response.responses = request.topics.map { topic in .with { $0.topic = topic.topic } }
    for part in parts {
      var answer = part.answer
      if let found = part.records {
        answer.records = ByteRange(offset: records.count, count: found.byteCount)
        records.append(found)
      }
      response.responses[part.topic].partitions.append(answer)
    }
    broker.metrics.fetchedBytes.record(byteCount)
    return Answer(
      frame: try Response(to: header, .fetch(response)).encode(), records: records)
  }
}
