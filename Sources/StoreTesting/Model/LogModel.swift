internal import DiskIO
public import LogStore
internal import MkstoreBytes
internal import RecordFormat

/// The oracle of crash, fault and model tests: what was appended to a log, what was promised of it,
/// and whether the log's later content can be right.
///
/// ```swift
/// var model = LogModel()
/// let result = try log.appendBlocking(batch: &batch)
/// model.note(batch, .durable(result.baseOffset))
/// // ... cut the power and open the log again ...
/// let content = try LogModel.content(of: reopened)
/// if let fault = model.fault(in: content, after: .powerCut) { print(fault) }
/// ```
///
/// Right means: every batch that must be there is, byte for byte and at its offset; nothing is
/// there that was not appended; the order is that of appending; and there is no hole, so what
/// survived is a prefix of what was written.
public struct LogModel: Sendable {
  /// A batch in a log.
  public struct Batch: Sendable, Equatable {
    /// Offset of its first record.
    public var baseOffset: Int64
    /// Offset after its last record.
    public var nextOffset: Int64
    /// The whole batch, offset and epoch included.
    public var bytes: [UInt8]

    /// Memberwise.
    public init(baseOffset: Int64, nextOffset: Int64, bytes: [UInt8]) {
      self.baseOffset = baseOffset
      self.nextOffset = nextOffset
      self.bytes = bytes
    }
  }

  /// How an append ended.
  public enum Outcome: Sendable, Equatable {
    /// Acknowledged as durable at this offset.
    case durable(Int64)
    /// Written at this offset, not yet durable.
    case written(Int64)
    /// It threw: the batch may be in the log or not.
    case unknown
  }

  /// What happened to the log since the appends.
  public enum Event: Sendable {
    /// Nothing, or the process was killed: everything written is there.
    case killed
    /// The power failed: everything acknowledged as durable is there.
    case powerCut
  }

  private struct Attempt: Sendable {
    var bytes: [UInt8]
    var outcome: Outcome

    var offset: Int64? {
      switch outcome {
      case .durable(let offset), .written(let offset): offset
      case .unknown: nil
      }
    }
  }

  private var attempts: [Attempt] = []

  /// A log without records.
  public init() {}

  /// Attempted appends.
  public var attemptCount: Int { attempts.count }

  /// Appends that were acknowledged as durable.
  public var durableCount: Int {
    attempts.count { if case .durable = $0.outcome { true } else { false } }
  }

  /// Records an append of `bytes` (offset and epoch need not be filled in yet).
  public mutating func note(_ bytes: [UInt8], _ outcome: Outcome) {
    attempts.append(Attempt(bytes: bytes, outcome: outcome))
  }

  /// Records that everything written below `offset` was acknowledged as durable.
  public mutating func noteFlushed(below offset: Int64) {
    for index in attempts.indices {
      if case .written(let base) = attempts[index].outcome, base < offset {
        attempts[index].outcome = .durable(base)
      }
    }
  }

  /// Records that a sync failed: batches that are written and not durable may be lost, even without
  /// a power cut, since the next opening reads the disk's content.
  public mutating func noteFailedSync() {
    for index in attempts.indices {
      if case .written = attempts[index].outcome { attempts[index].outcome = .unknown }
    }
  }

  /// Continues from the log's actual content: all of it is durable now, all else is gone.
  public mutating func settle(on content: [Batch]) {
    attempts = content.map { Attempt(bytes: $0.bytes, outcome: .durable($0.baseOffset)) }
  }

  /// Removes the batches that end at or before `offset`: they were deleted, and are no longer
  /// checked.
  public mutating func forget(below offset: Int64) {
    attempts.removeAll { attempt in
      guard let base = attempt.offset else { return false }
      return base + Int64(LogModel.offsetCount(attempt.bytes)) <= offset
    }
  }

  private static func offsetCount(_ batch: [UInt8]) -> Int {
    Int(batch.span.loadBigEndian(UInt32.self, at: 23)) + 1
  }

  // MARK: Checking

  /// What is wrong with a log that holds `content`; nil if that is possible.
  ///
  /// - Parameter start: The log's first offset.
  public func fault(
    in content: [Batch], after event: Event, startingAt start: Int64 = 0
  ) -> String? {
    var next = start
    var index = 0
    for batch in content {
      guard batch.baseOffset == next else {
        return "a batch at offset \(batch.baseOffset) where \(next) comes next"
      }
      while index < attempts.count, !isMatch(index, batch) {
        if let lost = loss(index, after: event) { return lost }
        index += 1
      }
      guard index < attempts.count else {
        return "the batch at offset \(batch.baseOffset) was never appended there"
      }
      index += 1
      next = batch.nextOffset
    }
    while index < attempts.count {
      if let lost = loss(index, after: event) { return lost }
      index += 1
    }
    return nil
  }

  private func loss(_ index: Int, after event: Event) -> String? {
    switch (attempts[index].outcome, event) {
    case (.durable(let offset), _): "the durable batch at offset \(offset) is lost"
    case (.written(let offset), .killed): "the written batch at offset \(offset) is lost"
    case (.written, .powerCut), (.unknown, _): nil
    }
  }

  /// Whether the batch is the attempt's: all bytes except offset and epoch, which the log sets.
  private func isMatch(_ index: Int, _ batch: Batch) -> Bool {
    let attempt = attempts[index]
    if let offset = attempt.offset {
      if offset != batch.baseOffset { return false }
    } else if attempts[index...].contains(where: { $0.offset == batch.baseOffset }) {
      return false  // The same batch, tried again, is known to be there.
    }
    return attempt.bytes.count == batch.bytes.count
      && attempt.bytes[8..<12].elementsEqual(batch.bytes[8..<12])
      && attempt.bytes[16...].elementsEqual(batch.bytes[16...])
  }

  // MARK: Reading

  /// All batches of a log from its start on, read by a `LogReader` and checked here again.
  ///
  /// - Parameter maxBytes: Of one read; small ones test more of the reader.
  /// - Throws: `LogError` of the reader; `.invalidBatch` if it returned an invalid batch.
  public static func content(of log: Log, maxBytes: Int = 1 << 20) throws(LogError) -> [Batch] {
    let reader = LogReader(log)
    var batches: [Batch] = []
    var buffer: [UInt8] = []
    var offset = log.logStartOffset
    while let records = try reader.read(
      from: offset, maxBytes: maxBytes, limit: .logEnd, into: &buffer)
    {
      try split(buffer, into: &batches)
      offset = records.nextOffset
    }
    return batches
  }

  /// Splits `bytes` into batches and adds them.
  public static func split(_ bytes: [UInt8], into batches: inout [Batch]) throws(LogError) {
    var position = 0
    while position < bytes.count {
      let rest = bytes.span.extracting(position...)
      do throws(BatchError) {
        let header = try BatchHeader(rest)
        guard header.byteCount <= rest.count else {
          throw .incomplete(needed: header.byteCount, available: rest.count)
        }
        try RecordBatch(rest.extracting(first: header.byteCount)).checkCRC()
        batches.append(
          Batch(
            baseOffset: header.baseOffset, nextOffset: header.nextOffset,
            bytes: Array(bytes[position..<position + header.byteCount])))
        position += header.byteCount
      } catch {
        throw .invalidBatch(error)
      }
    }
  }
}
