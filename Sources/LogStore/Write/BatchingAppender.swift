/// Appends single records of many tasks in batches, with a bound on the bytes that wait.
///
/// Each record is durable (or whatever `LogConfig.durability` says) when its `append` returns.
/// While one batch becomes durable the next one is collected, so that many small records cost few
/// syncs; a task that finds `pendingBytesMax` waiting waits too.
///
/// ```swift
/// let appender = BatchingAppender(log)
/// try await withThrowingTaskGroup(of: Void.self) { group in
///   for reading in readings {
///     group.addTask { try await appender.append(NewRecord(value: reading)) }
///   }
///   try await group.waitForAll()
/// }
/// ```
///
/// Records of one task are appended in its order; those of several tasks in the order of their
/// calls. Any thread. A record that is larger than a batch may be fails alone.
public final class BatchingAppender: Sendable {
  /// Most bytes of records that are held and not written yet.
  public let pendingBytesMax: Int
  private let log: Log
  private let batchBytesMax: Int
  private let state = Locked(State())

  private struct Waiting {
    var record: NewRecord
    var byteCount: Int
    var call: Call
  }

  private struct State {
    /// Records that no batch has taken, oldest first.
    var pending: [Waiting] = []
    var pendingBytes = 0
    /// Calls that found no room, oldest first.
    var queued: [Waiting] = []
    var isWriting = false

    /// Lets the oldest calls in for which there is room; one at least where nothing is pending.
    mutating func admit(_ bytesMax: Int) {
      var count = 0
      for waiting in queued {
        if pendingBytes > 0, pendingBytes + waiting.byteCount > bytesMax { break }
        pending.append(waiting)
        pendingBytes += waiting.byteCount
        count += 1
      }
      queued.removeFirst(count)
    }
  }

  /// One call of `append`: resumed once.
  private final class Call: Sendable {
    private let continuation = Locked<CheckedContinuation<Result<Int64, LogError>, Never>?>(nil)
    private let outcome = Locked<Result<Int64, LogError>?>(nil)

    func wait() async -> Result<Int64, LogError> {
      await withCheckedContinuation { continuation in
        let early = outcome.withLock { outcome in
          if outcome == nil { self.continuation.withLock { $0 = continuation } }
          return outcome
        }
        if let early { continuation.resume(returning: early) }
      }
    }

    func finish(_ result: Result<Int64, LogError>) {
      let waiting = outcome.withLock {
        outcome -> CheckedContinuation<Result<Int64, LogError>, Never>? in
        guard outcome == nil else { return nil }
        outcome = result
        return continuation.withLock { $0 }
      }
      waiting?.resume(returning: result)
    }
  }

  /// Makes an appender; it holds nothing that must be closed.
  ///
  /// - Parameters:
  ///   - log: Where records go.
  ///   - pendingBytesMax: Most bytes of records that are held and not written yet.
  public init(_ log: Log, pendingBytesMax: Int = 4 << 20) {
    self.log = log
    self.pendingBytesMax = max(1, pendingBytesMax)
    batchBytesMax = min(log.config.maxMessageBytes, log.config.segmentBytes)
  }

  /// Appends a record.
  ///
  /// - Returns: Its offset.
  /// - Durability: As `Log.append`.
  /// - Throws: As `Log.append`. `.cancelled` where the task was: the record is appended
  ///   nevertheless if a batch had taken it, and is not if it was still waiting; the error does not
  ///   tell which.
  @discardableResult
  public func append(_ record: NewRecord) async throws(LogError) -> Int64 {
    if Task.isCancelled { throw .cancelled(appended: nil) }
    let byteCount = record.byteCountMax
    let call = Call()
    let waiting = Waiting(record: record, byteCount: byteCount, call: call)
    let result: Result<Int64, LogError> = await withTaskCancellationHandler {
      if enqueue(waiting) { Task { await writeAll() } }
      return await call.wait()
    } onCancel: {
      forget(call)
      call.finish(.failure(.cancelled(appended: nil)))
    }
    return try result.get()
  }

  /// - Returns: Whether the caller is to have everything written.
  private func enqueue(_ waiting: Waiting) -> Bool {
    state.withLock { state in
      state.queued.append(waiting)
      state.admit(pendingBytesMax)
      defer { state.isWriting = true }
      return !state.isWriting
    }
  }

  private func forget(_ call: Call) {
    state.withLock { state in
      state.queued.removeAll { $0.call === call }
      if let index = state.pending.firstIndex(where: { $0.call === call }) {
        state.pendingBytes -= state.pending.remove(at: index).byteCount
      }
    }
  }

  /// Writes batch after batch until nothing waits.
  private func writeAll() async {
    while let batch = takeBatch() {
      do throws(LogError) {
        let result = try await log.append(batch.map(\.record))
        for (index, waiting) in batch.enumerated() {
          waiting.call.finish(.success(result.baseOffset + Int64(index)))
        }
      } catch {
        for waiting in batch { waiting.call.finish(.failure(error)) }
      }
    }
  }

  /// The next records that fit one batch; nil where none waits, and then nothing is being written.
  private func takeBatch() -> [Waiting]? {
    state.withLock { state in
      // Calls may have been cancelled, which makes room.
      state.admit(pendingBytesMax)
      var byteCount = BatchingAppender.batchOverheadBytes
      var count = 0
      for waiting in state.pending {
        byteCount += waiting.byteCount
        if count > 0, byteCount > batchBytesMax { break }
        count += 1
      }
      guard count > 0 else {
        state.isWriting = false
        return nil
      }
      let batch = Array(state.pending.prefix(count))
      state.pending.removeFirst(count)
      state.pendingBytes -= batch.reduce(0) { $0 + $1.byteCount }
      return batch
    }
  }

  private static let batchOverheadBytes = 100
}
