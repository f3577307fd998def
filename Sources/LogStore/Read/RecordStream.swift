public import RecordFormat

/// The records of a log from a position on, and then each new one as it is acknowledged: an
/// asynchronous sequence that ends where it was asked to, when its task is cancelled, or when the
/// log is closed.
///
/// ```swift
/// for try await record in log.records(from: .earliest, through: .currentEnd) {
///   print(record.offset, record.text ?? "")
/// }
/// ```
///
/// Reads run on the store's fetcher threads, never on the task's. Records are copies. A damaged
/// range is thrown as `.corrupt`; start a new stream at the end of the error's `offsets` to go on.
public struct RecordStream: AsyncSequence, Sendable {
  /// One record.
  public typealias Element = Record
  /// Typed as the engine's errors.
  public typealias Failure = LogError

  let log: Log
  let position: LogPosition
  /// The offset to stop at; nil: never.
  let end: Int64?
  let limit: LogReader.Limit

  /// Starts at the stream's first offset.
  public func makeAsyncIterator() -> Iterator { Iterator(source: Source(self)) }

  /// Hands out one record after the other.
  public struct Iterator: AsyncIteratorProtocol {
    let source: Source
    private var ready: ArraySlice<Record> = []

    init(source: Source) { self.source = source }

    /// The next record; nil where the stream has ended.
    ///
    /// - Throws: As `LogReader.forEachRecord`.
    public mutating func next(isolation actor: isolated (any Actor)?) async throws(LogError)
      -> Record?
    {
      while ready.isEmpty {
        guard let batch = try await source.nextBatch() else { return nil }
        ready = batch[...]
      }
      return ready.removeFirst()
    }
  }

  /// The reader behind one iterator.
  ///
  /// `@unchecked`: an iterator is used by one task at a time and waits for each read before the
  /// next, so that the reader never meets two threads at once.
  final class Source: @unchecked Sendable {
    private let log: Log
    private let end: Int64
    private let limit: LogReader.Limit
    private let reader: LogReader
    /// Where to begin; nil once `offset` is known.
    private var position: LogPosition?
    private var offset: Int64 = 0

    init(_ stream: RecordStream) {
      log = stream.log
      end = stream.end ?? .max
      limit = stream.limit
      position = stream.position
      reader = LogReader(log)
    }

    func nextBatch() async throws(LogError) -> [Record]? {
      do throws(LogError) {
        if let position {
          offset = try await log.context.fetchers.run { [self] () throws(LogError) in
            try log.offset(of: position, limit)
          }
          self.position = nil
        }
        while !Task.isCancelled, offset < end {
          if reader.endOffset(limit) <= offset {
            try await reader.wait(for: offset, limit: limit)
            continue
          }
          let batch = try await log.context.fetchers.run { [self] () throws(LogError) in
            try readBatch()
          }
          if !batch.isEmpty { return batch }
        }
      } catch {
        guard error.code == .closed else { throw error }
      }
      return nil
    }

    private func readBatch() throws(LogError) -> [Record] {
      var batch: [Record] = []
      do throws(LogError) {
        offset = try reader.forEachRecord(from: offset, maxBytes: 64 << 10, limit: limit) {
          (record) throws(LogError) in
          guard record.offset < end else { return false }
          batch.append(Record(copying: record))
          return true
        }
        // Records of the last batch may lie beyond the end, or be missing up to it.
        if let last = batch.last, last.offset + 1 >= end { offset = end }
      } catch {
        // What came before the damage is handed out first; the next call throws.
        guard let last = batch.last else { throw error }
        offset = last.offset + 1
      }
      return batch
    }
  }
}
