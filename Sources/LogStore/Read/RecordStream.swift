public import RecordFormat

/// The records of a log from an offset on, and then each new one as it is acknowledged: an
/// asynchronous sequence that ends when its task is cancelled or the log is closed.
///
/// ```swift
/// for try await record in log.records(from: 0) { print(record.offset) }
/// ```
///
/// Reads run on the store's fetcher threads, never on the task's. Records are copies. A damaged
/// range is thrown as `LogError.corrupt`; start a new stream at the range's end to go on.
public struct RecordStream: AsyncSequence, Sendable {
  /// One record.
  public typealias Element = Record
  /// Typed as the engine's errors.
  public typealias Failure = LogError

  let log: Log
  let offset: Int64
  let limit: LogReader.Limit

  /// Starts at the stream's first offset.
  public func makeAsyncIterator() -> Iterator {
    Iterator(source: Source(log, offset, limit))
  }

  /// Hands out one record after the other.
  public struct Iterator: AsyncIteratorProtocol {
    let source: Source
    private var ready: ArraySlice<Record> = []

    init(source: Source) { self.source = source }

    /// The next record; nil where the task was cancelled or the log closed.
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
    private let limit: LogReader.Limit
    private let reader: LogReader
    private var offset: Int64

    init(_ log: Log, _ offset: Int64, _ limit: LogReader.Limit) {
      self.log = log
      self.offset = offset
      self.limit = limit
      reader = LogReader(log)
    }

    func nextBatch() async throws(LogError) -> [Record]? {
      do throws(LogError) {
        while !Task.isCancelled {
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
        guard case .closed = error else { throw error }
      }
      return nil
    }

    private func readBatch() throws(LogError) -> [Record] {
      var batch: [Record] = []
      do throws(LogError) {
        offset = try reader.forEachRecord(from: offset, maxBytes: 64 << 10, limit: limit) {
          (record) throws(LogError) in
          batch.append(Record(copying: record))
          return true
        }
      } catch {
        // What came before the damage is handed out first; the next call throws.
        guard let last = batch.last else { throw error }
        offset = last.offset + 1
      }
      return batch
    }
  }
}
