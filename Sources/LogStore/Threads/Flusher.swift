internal import CMkstoreShims

/// Does a store's work that no caller should wait for with a lock held: flushes requested without
/// blocking, the interval durability, durable marks and checkpoints.
///
/// One thread keeps the time; helpers are started once several logs wait at the same time, because
/// a disk can sync different files in parallel (docs/performance.md#parallel-flushes). A log is
/// flushed by one of them at a time. Each is a loop around `step()`; simulations call `step()`
/// themselves. A blocked appender whose log is not being flushed runs the flush itself instead of
/// waking a thread (docs/decisions/0004-who-flushes.md).
package final class Flusher: Sendable {
  /// A log, as seen by the flusher.
  protocol Client: AnyObject, Sendable {
    /// Flushes what was appended so far and wakes its waiters. Errors poison the client.
    func flushNow()
    /// Begins a flush whose bytes go to the journal, if they are not too many and nothing else is
    /// to be made durable.
    func beginJournaledFlush(bytesMax: Int) -> JournalStart
    /// Starts writing to the disk what `flushNow` will sync, without waiting.
    func startFlush()
    /// Milliseconds of `.interval` durability; nil if flushing is not periodic.
    var flushIntervalMs: Int? { get }
    /// Whether anything was appended since the last flush.
    var isDirty: Bool { get }
    /// Makes the mark durable if enough was flushed since the last time.
    func refreshMark(force: Bool)
  }

  private struct State {
    var queue = FlushQueue()
    var marks: [any Client] = []
    /// Those that are flushed periodically.
    var periodic: [any Client] = []
    var isStopping = false
    /// Whether a thread keeps the time.
    var hasThread = false
    /// A client was added: the sleep must be computed again.
    var isChanged = false
    var nextIntervalNs: [ObjectIdentifier: Int64] = [:]
    var nextCheckpointNs: Int64 = 0
    /// Threads that wait for work, including the one that keeps the time.
    var idleCount = 0
    var helperCount = 0
    /// Makes several logs durable at once; nil before the store has one.
    var journal: Journal?
    /// Groups of logs that are being written to the journal.
    var groupCount = 0
    /// Callers that run a flush themselves.
    var blockingCount = 0

    /// Logs that wait to be flushed or are being flushed.
    var crowd: Int { queue.count + queue.runningCount + blockingCount }

    /// Whether a thread must be woken, or started, for waiting logs.
    mutating func demand(helpersMax: Int) -> (wakes: Bool, lacksHelper: Bool) {
      // The threads that write them now take what waits afterwards.
      if groupCount == Self.groupsMax { return (false, false) }
      let lacksHelper = queue.count > idleCount && helperCount < helpersMax
      if lacksHelper { helperCount += 1 }
      return (idleCount > 0, lacksHelper)
    }

    /// Groups written to the journal at a time: with more, each has less, and costs as much
    /// (docs/performance.md#journal).
    private static let groupsMax = 2

    /// Takes what one thread flushes next: all waiting logs if they and those that are being
    /// flushed are many, else one.
    mutating func take(_ task: inout FlushTask) {
      if queue.count > 0, let journal, journal.isWanted(forLogs: crowd) {
        // Those that wait now become one larger group, of the thread that is done first.
        if groupCount == Self.groupsMax { return }
        groupCount += 1
        task.journal = journal
        while let client = queue.take() { task.clients.append(client) }
      } else if let client = queue.take(following: &task.following) {
        task.clients.append(client)
      }
    }

    /// How long the thread may sleep before something periodic is due.
    func pauseNs(nowNs: Int64) -> Int64 {
      let interval = nextIntervalNs.values.min() ?? nextCheckpointNs
      let isFresh = periodic.contains { nextIntervalNs[ObjectIdentifier($0)] == nil }
      return isFresh ? 0 : max(0, min(interval, nextCheckpointNs) - nowNs)
    }
  }

  /// The task of one thread.
  private struct FlushTask {
    var clients: [any Client] = []
    /// Logs that wait after it.
    var following: [any Client] = []
    /// What makes them durable together; nil: each is synced.
    var journal: Journal?
  }

  private let state = Locked(State())
  private let checkpointIntervalNs: Int64
  private let now: @Sendable () -> Int64
  private let helpersMax: Int
  private let checkpoint = Locked<(@Sendable () -> Void)?>(nil)
  /// The thread that keeps the time first; none before `start` and after `stop`.
  private let threads = Locked<(running: [PinnedThread], core: Int?)>(([], nil))

  /// - Parameters:
  ///   - checkpointIntervalMs: How often `checkpoint` runs (Kafka: 60,000).
  ///   - threadsMax: Most threads that sync at once.
  ///   - now: Monotonic nanoseconds.
  package init(
    checkpointIntervalMs: Int = 60_000, threadsMax: Int = 1,
    now: @escaping @Sendable () -> Int64 = { mk_monotonic_ns() }
  ) {
    checkpointIntervalNs = Int64(checkpointIntervalMs) * 1_000_000
    helpersMax = max(0, threadsMax - 1)
    self.now = now
    state.withLock { $0.nextCheckpointNs = now() + checkpointIntervalNs }
  }

  /// Starts the thread that keeps the time; all threads run on `core` if given.
  package func start(core: Int?) {
    state.withLock { $0.hasThread = true }
    threads.withLock { threads in
      guard threads.running.isEmpty else { return }
      threads.core = core
      threads.running = [
        PinnedThread(name: "mkstore-flush", core: core) { [self] in
          while step(waiting: true) {}
        }
      ]
    }
  }

  /// What the periodic checkpoint does.
  func onCheckpoint(_ body: @escaping @Sendable () -> Void) {
    checkpoint.withLock { $0 = body }
  }

  /// Ends the threads after the current requests. Idempotent.
  package func stop() {
    state.withLock { $0.isStopping = true }
    state.broadcast()
    let running = threads.withLock { threads in
      defer { threads.running = [] }
      return threads.running
    }
    for thread in running { thread.join() }
    checkpoint.withLock { $0 = nil }
    // No more requests come; drop the references to avoid a retain cycle.
    state.withLock { state in
      state.periodic = []
      state.queue = FlushQueue()
      state.marks = []
      state.journal = nil
    }
  }

  /// Makes several logs durable by a journal from now on, until `stop`.
  func use(_ journal: Journal) {
    state.withLock { $0.journal = journal }
  }

  /// The store's journal, until `stop`.
  var journal: Journal? { state.withLock { $0.journal } }

  /// Whether so many other logs are being flushed that a caller better leaves its flush to the
  /// flusher's threads. Never without them.
  var isCrowded: Bool {
    state.withLock { state in
      guard let journal = state.journal, state.hasThread, !state.isStopping else { return false }
      return journal.isWanted(forLogs: state.crowd + 1)
    }
  }

  /// A caller runs a flush of a log itself.
  func beginBlockingFlush() { state.withLock { $0.blockingCount += 1 } }

  /// It has ended.
  func endBlockingFlush() { state.withLock { $0.blockingCount -= 1 } }

  /// Adds a log.
  func add(_ client: any Client) {
    guard client.flushIntervalMs != nil else { return }
    state.withLock { state in
      state.periodic.append(client)
      state.isChanged = true
    }
    state.broadcast()
  }

  /// Removes a log that closes.
  func remove(_ client: any Client) {
    state.withLock { state in
      state.queue.remove(client)
      state.periodic.removeAll { $0 === client }
      state.marks.removeAll { $0 === client }
      state.nextIntervalNs[ObjectIdentifier(client)] = nil
    }
  }

  /// Requests a flush of `client`. Never blocks on a disk.
  func request(_ client: any Client) {
    summon { state in !state.isStopping && state.queue.request(client) }
  }

  /// Wakes or starts a thread for waiting work, if `isNeeded` says so under the lock.
  private func summon(where isNeeded: (inout State) -> Bool) {
    let (wakes, lacksHelper) = state.withLock { state -> (Bool, Bool) in
      isNeeded(&state) ? state.demand(helpersMax: helpersMax) : (false, false)
    }
    if wakes { state.signal() }
    if lacksHelper { startHelper() }
  }

  /// Requests a durable mark of `client`. Never blocks on a disk.
  func requestMark(_ client: any Client) {
    let isNew = state.withLock { state in
      if state.isStopping || state.marks.contains(where: { $0 === client }) { return false }
      state.marks.append(client)
      return true
    }
    if isNew { state.broadcast() }
  }

  // MARK: Helpers

  private func startHelper() {
    threads.withLock { threads in
      // Without the first thread no flush runs by itself: a simulation, or the end.
      guard !threads.running.isEmpty else { return }
      threads.running.append(
        PinnedThread(name: "mkstore-flush", core: threads.core) { [self] in
          while help() {}
        })
    }
  }

  /// Flushes waiting logs; false when the thread must end.
  private func help() -> Bool {
    var task = FlushTask()
    var isStopping = false
    waitForWork(timeoutNs: nil) { state in
      state.take(&task)
      isStopping = state.isStopping
      return !task.clients.isEmpty || isStopping
    }
    flush(task)
    return !isStopping || !task.clients.isEmpty
  }

  private func waitForWork(timeoutNs: Int64?, until isReady: (inout State) -> Bool) {
    var isIdle = false
    _ = state.wait(timeoutNs: timeoutNs) { state in
      if isIdle { state.idleCount -= 1 }
      isIdle = !isReady(&state)
      if isIdle { state.idleCount += 1 }
      return !isIdle
    }
    // The wait timed out.
    if isIdle { state.withLock { $0.idleCount -= 1 } }
  }

  private func flush(_ task: FlushTask) {
    if let journal = task.journal {
      return flush(task.clients, by: journal)
    }
    for client in task.following { client.startFlush() }
    for client in task.clients { flush(client) }
  }

  /// Puts logs that were taken, and not flushed, back into the queue, also at the end: the calling
  /// thread continues until nothing waits.
  func putBack(_ clients: [any Client]) {
    for client in clients {
      summon { state in
        state.queue.finish(client)
        _ = state.queue.request(client)
        return true
      }
    }
  }

  /// A group was written, so that another thread may take what waits.
  func endGroup() {
    summon { state in
      state.groupCount -= 1
      return state.queue.count > 0
    }
  }

  /// Ends the flushes of logs; those requested again meanwhile wait again.
  func finish(_ clients: [any Client]) {
    state.withLock { state in for client in clients { state.queue.finish(client) } }
  }

  /// Flushes a log that was taken from the queue, and again if that was requested meanwhile.
  func flush(_ client: any Client) {
    repeat { client.flushNow() } while state.withLock { $0.queue.isWantedAgain(client) }
  }

  // MARK: Steps

  /// Does what is due.
  ///
  /// - Parameter waiting: Whether to wait for work if there is none. Helpers may then work too, and
  ///   one flush is taken at a time.
  /// - Returns: False when the thread must end.
  @discardableResult
  package func step(waiting: Bool) -> Bool {
    var due = Due()
    let now = now
    let collect: (inout State) -> Bool = { [checkpointIntervalNs] state in
      due.collect(
        &state, nowNs: now(), checkpointIntervalNs: checkpointIntervalNs, takesAll: !waiting)
      defer { state.isChanged = false }
      return due.hasWork || state.isStopping || state.isChanged
    }
    if waiting {
      let pause = state.withLock { $0.pauseNs(nowNs: now()) }
      waitForWork(timeoutNs: pause, until: collect)
    } else {
      _ = state.withLock(collect)
    }
    flush(due.task)
    if !waiting { due.journal?.step(waiting: false) }
    for client in due.marks { client.refreshMark(force: false) }
    if due.isCheckpoint { checkpoint.withLock { $0 }?() }
    return !due.isStopping || due.hasWork
  }

  private struct Due {
    var task = FlushTask()
    var journal: Journal?
    var marks: [any Client] = []
    var isCheckpoint = false
    var isStopping = false
    var hasWork: Bool { !task.clients.isEmpty || !marks.isEmpty || isCheckpoint }

    mutating func collect(
      _ state: inout State, nowNs: Int64, checkpointIntervalNs: Int64, takesAll: Bool
    ) {
      swap(&marks, &state.marks)
      isStopping = state.isStopping
      journal = state.journal
      for client in state.periodic {
        guard let intervalMs = client.flushIntervalMs else { continue }
        let id = ObjectIdentifier(client)
        let next = state.nextIntervalNs[id] ?? nowNs
        guard next <= nowNs else { continue }
        state.nextIntervalNs[id] = nowNs + Int64(intervalMs) * 1_000_000
        if client.isDirty { _ = state.queue.request(client) }
      }
      if state.nextCheckpointNs <= nowNs {
        state.nextCheckpointNs = nowNs + checkpointIntervalNs
        isCheckpoint = true
      }
      repeat {
        let count = task.clients.count
        state.take(&task)
        if task.clients.count == count { break }
      } while takesAll
    }
  }
}
