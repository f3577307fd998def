internal import CoreMetrics
package import LogStore
internal import Logging
package import MkstoreProtocol
internal import NIOCore
internal import RecordFormat
internal import Synchronization

/// The result for one partition's batch of a produce request.
struct ProduceOutcome: Sendable {
  /// The client's answer, unless the flush fails.
  package var answer: ProduceResponse.Topic.Partition
  /// The log to wait for, and the offset up to which it must be durable; nil: nothing to wait for.
  /// Also set if the batch was refused: the client gets that answer only once its earlier batches
  /// are safe.
  package var wait: (log: Log, endOffset: Int64)?
}

extension Broker {
  /// Logs of the request whose append must do more than write, with the bytes to append: the first
  /// one of a session syncs a mark, others begin a segment.
  func logsToPrepare(_ request: ProduceRequest) -> [(log: Log, byteCount: Int)] {
    var logs: [(log: Log, byteCount: Int)] = []
    for topic in request.topicData {
      guard let known = topics.named(topic.name) else { continue }
      for partition in topic.partitionData {
        guard let log = known.logs[partition.index] else { continue }
        let limit = min(log.config.maxMessageBytes, log.config.segmentBytes)
        let byteCount = partition.records?.count ?? 0
        // A larger batch is refused, and begins no segment.
        let expected = byteCount > limit ? 0 : byteCount
        if let appender = log.writing?.appender, !appender.isReady(byteCount: expected) {
          logs.append((log, expected))
        }
      }
    }
    return logs
  }

  /// Does what each append does before it writes. Blocks.
  package func prepare(_ logs: [(log: Log, byteCount: Int)]) {
    for (log, byteCount) in logs {
      do throws(LogError) {
        try log.writing?.appender.prepare(byteCount: byteCount)
      } catch  where error.code == .closed {
        // Deleted meanwhile: only the producer needs to know.
      } catch {
        // The append itself meets the same error, answers with it, and logs it.
      }
    }
  }

  /// Appends a partition's batch, without waiting for its durability.
  ///
  /// - Parameter records: The bytes of the batch, which the log edits in place; nil for none.
  func append(
    topic: String, partition: Int32, version: Int16, records: inout MutableSpan<UInt8>
  ) -> ProduceOutcome {
    var answer = ProduceResponse.Topic.Partition()
    answer.index = partition
    answer.baseOffset = -1
    guard let log = log(topic, partition), let appender = log.writing?.appender else {
      let code = missing(topic, partition)
      let what = code == .unknownTopicOrPartition ? "there is no" : "the server could not open"
      return refused(answer, code, "\(what) partition \(topic)-\(partition)")
    }
    answer.logStartOffset = log.logStartOffset
    do throws(LogError) {
      // Before anything of the batch is checked.
      try appender.checkNotFailed(records.span)
      let header: BatchHeader
      switch decode(records.span, version: version) {
      case .success(let decoded): header = decoded
      case .failure(let rejection):
        return refusedForGood(answer, rejection.code, rejection.reason, records.span, log)
      }
      let result = try appender.write(&records, decoded: header)
      answer.baseOffset = result.baseOffset
      answer.logAppendTimeMs = result.logAppendTimeMs
      let waits = log.config.durability == .flushed
      return ProduceOutcome(
        answer: answer, wait: waits ? (log, result.lastOffset + 1) : nil)
    } catch {
      let code = code(error, log)
      if code == .kafkaStorageError { sayStorageFails(error, log) }
      return refusedForGood(answer, code, "\(error)", records.span, log)
    }
  }

  /// An answer that says why a batch was not appended, and that it need not be sent again.
  ///
  /// It makes an idempotent client renumber its unacknowledged batches, so it must not come before
  /// their fate is certain. Batches that wait for their sync are waited for. If some were refused
  /// because of the disk and must come again, this one is refused in the same way.
  private func refusedForGood(
    _ answer: ProduceResponse.Topic.Partition, _ code: ErrorCode, _ reason: String,
    _ batch: Span<UInt8>, _ log: Log
  ) -> ProduceOutcome {
    guard code != .kafkaStorageError, code != .notLeaderOrFollower,
      let header = idempotentHeader(batch)
    else { return refused(answer, code, reason) }
    if log.writing?.appender.awaitsRefusedBatch(before: header) ?? false {
      return refused(
        answer, .kafkaStorageError, "an earlier batch must come again first; \(reason)")
    }
    var outcome = refused(answer, code, reason)
    if log.config.durability == .flushed, log.durableEndOffset < log.logEndOffset {
      outcome.wait = (log, log.logEndOffset)
    }
    return outcome
  }

  /// The header of an idempotent producer's batch; nil for any other, and for invalid batches.
  private func idempotentHeader(_ batch: Span<UInt8>) -> BatchHeader? {
    do throws(BatchError) {
      let header = try BatchHeader(batch)
      return !header.isLegacy && header.producerId >= 0 ? header : nil
    } catch {
      return nil
    }
  }

  /// Logs that a disk accepts no records, which an operator must repair.
  private func sayStorageFails(_ error: LogError, _ log: Log) {
    rateLimitedLog.log(
      .error, cause: "produce: \(error.refusalCause)",
      "produce is refused, and clients try again: \(error)",
      metadata: ["log": "\(log.topicPartition)"])
  }

  /// Why a batch is not appended.
  private struct Rejection: Error {
    var code: ErrorCode
    var reason: String

    init(_ code: ErrorCode, _ reason: String) {
      self.code = code
      self.reason = reason
    }
  }

  /// Decodes the header of a request's batch, and checks what the log does not: formats and codecs
  /// that the request's version allows.
  private func decode(_ records: Span<UInt8>, version: Int16) -> Result<BatchHeader, Rejection> {
    func reject(_ code: ErrorCode, _ reason: String) -> Result<BatchHeader, Rejection> {
      .failure(Rejection(code, reason))
    }
    if records.isEmpty {
      return reject(.invalidRecord, "the request has no records for the partition")
    }
    do throws(BatchError) {
      let header = try BatchHeader(records)
      if header.isLegacy {
        return version < 3
          ? reject(
            .unsupportedForMessageFormat, "message format \(header.magic) is not taken any more")
          : reject(.invalidRecord, "message format \(header.magic), expected 2")
      }
      if header.baseOffset != 0 {
        return reject(
          .invalidRecord, "the batch's base offset is \(header.baseOffset), expected 0")
      }
      if header.codec == .zstd, version < 7 {
        return reject(.unsupportedCompressionType, "zstd needs Produce v7 or later")
      }
      return .success(header)
    } catch {
      return reject(ErrorCode(error), "\(error)")
    }
  }

  private func code(_ error: LogError, _ log: Log) -> ErrorCode {
    if case .recordTooLarge(_, let limit) = error.kind, limit < log.config.maxMessageBytes {
      return .recordListTooLarge
    }
    return ErrorCode(error)
  }

  /// An answer that says why nothing was appended.
  func refused(
    _ answer: ProduceResponse.Topic.Partition, _ code: ErrorCode, _ reason: String
  ) -> ProduceOutcome {
    metrics.refused(code.rawValue)
    metrics.failedProduces.increment()
    logger.debug(
      "produce refused", metadata: ["partition": "\(answer.index)", "reason": "\(reason)"])
    var answer = answer
    answer.errorCode = code
    answer.errorMessage = reason
    answer.baseOffset = -1
    return ProduceOutcome(answer: answer)
  }

  /// The error for a whole produce request, if there is one.
  ///
  /// - Parameter frame: The request's bytes, which contain its records.
  package func refusal(
    _ request: ProduceRequest, _ frame: Span<UInt8>
  ) -> (ErrorCode, String)? {
    guard (-1...1).contains(request.acks) else {
      return (.invalidRequiredAcks, "acks \(request.acks), expected -1, 0 or 1")
    }
    if request.transactionalId != nil || hasTransactionalBatch(request, frame) {
      return (.transactionalIdAuthorizationFailed, "there are no transactions yet")
    }
    return nil
  }

  /// As in Kafka, one batch of a transaction makes the whole request fail.
  private func hasTransactionalBatch(_ request: ProduceRequest, _ frame: Span<UInt8>) -> Bool {
    request.topicData.contains { topic in
      topic.partitionData.contains { partition in
        guard let range = partition.records?.range else { return false }
        return isTransactional(frame.extracting(range))
      }
    }
  }

  private func isTransactional(_ batch: Span<UInt8>) -> Bool {
    do throws(BatchError) {
      return try BatchHeader(batch).isTransactional
    } catch {
      // Its partition is refused because of that.
      return false
    }
  }
}
