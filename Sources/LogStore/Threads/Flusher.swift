internal import CShims

/// Does the work of a store that nobody should wait for with a lock held: flushes that were asked
/// for without blocking, the interval durability, durable marks and checkpoints.
///
/// One pinned thread per store, a loop around `step()`; tests that simulate call `step()`
/// themselves. A blocked appender whose log nobody flushes right now runs the flush itself instead
/// of waking this thread (docs/decisions/0004-who-flushes.md).
package final class Flusher: Sendable {
  /// A log, as the flusher needs it.
  package protocol Client: AnyObject, Sendable {
    /// Flushes what was appended so far and wakes who waits for it. Errors poison the client.
    func flushNow()
    /// Milliseconds of `.interval` durability; nil where flushing is not periodic.
    var flushIntervalMs: Int? { get }
    /// Whether anything was appended since the last flush.
    var isDirty: Bool { get }
    /// Makes the mark durable where enough was flushed since the last time.
    func refreshMark(force: Bool)
  }

  private struct State {
    var requests: [any Client] = []
    var marks: [any Client] = []
    var clients: [any Client] = []
    var isStopping = false
    /// A client came: the sleep must be measured anew.
    var isChanged = false
    var nextIntervalNs: [ObjectIdentifier: Int64] = [:]
    var nextCheckpointNs: Int64 = 0

    /// How long the thread may sleep before something periodic is due.
    func pauseNs(nowNs: Int64) -> Int64 {
      let interval = nextIntervalNs.values.min() ?? nextCheckpointNs
      let isFresh = clients.contains {
        $0.flushIntervalMs != nil && nextIntervalNs[ObjectIdentifier($0)] == nil
      }
      return isFresh ? 0 : max(0, min(interval, nextCheckpointNs) - nowNs)
    }
  }

  private let state = Locked(State())
  private let checkpointIntervalNs: Int64
  private let now: @Sendable () -> Int64
  private let checkpoint = Locked<(@Sendable () -> Void)?>(nil)
  private let thread = Locked<PinnedThread?>(nil)

  /// - Parameters:
  ///   - checkpointIntervalMs: How often `checkpoint` runs (Kafka: 60,000).
  ///   - now: Monotonic nanoseconds.
  package init(
    checkpointIntervalMs: Int = 60_000,
    now: @escaping @Sendable () -> Int64 = { mk_monotonic_ns() }
  ) {
    checkpointIntervalNs = Int64(checkpointIntervalMs) * 1_000_000
    self.now = now
    state.withLock { $0.nextCheckpointNs = now() + checkpointIntervalNs }
  }

  /// Starts the thread.
  package func start(core: Int?) {
    thread.withLock { thread in
      guard thread == nil else { return }
      thread = PinnedThread(name: "mkstore-flush", core: core) { [self] in
        while step(waiting: true) {}
      }
    }
  }

  /// What the periodic checkpoint does.
  package func onCheckpoint(_ body: @escaping @Sendable () -> Void) {
    checkpoint.withLock { $0 = body }
  }

  /// Ends the thread after the requests at hand. Idempotent.
  package func stop() {
    state.withLock { $0.isStopping = true }
    state.broadcast()
    let running = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    running?.join()
    checkpoint.withLock { $0 = nil }
    // Nobody asks any more, and a log that stays here would keep itself.
    state.withLock { state in
      state.clients = []
      state.requests = []
      state.marks = []
    }
  }

  /// Takes a log under its care.
  package func add(_ client: any Client) {
    state.withLock { state in
      state.clients.append(client)
      state.isChanged = true
    }
    state.broadcast()
  }

  /// Lets go of a log that closes.
  package func remove(_ client: any Client) {
    state.withLock { state in
      state.clients.removeAll { $0 === client }
      state.requests.removeAll { $0 === client }
      state.marks.removeAll { $0 === client }
      state.nextIntervalNs[ObjectIdentifier(client)] = nil
    }
  }

  /// Asks for a flush of `client` soon. Never blocks on a disk.
  package func request(_ client: any Client) {
    let isNew = state.withLock { state in
      if state.isStopping || state.requests.contains(where: { $0 === client }) { return false }
      state.requests.append(client)
      return true
    }
    if isNew { state.broadcast() }
  }

  /// Asks for a durable mark of `client` soon. Never blocks on a disk.
  package func requestMark(_ client: any Client) {
    let isNew = state.withLock { state in
      if state.isStopping || state.marks.contains(where: { $0 === client }) { return false }
      state.marks.append(client)
      return true
    }
    if isNew { state.broadcast() }
  }

  /// Carries out what is due.
  ///
  /// - Parameter waiting: Whether to wait for work where there is none.
  /// - Returns: False when the thread is to end.
  @discardableResult
  package func step(waiting: Bool) -> Bool {
    var due = Due()
    let now = now
    let collect: (inout State) -> Bool = { [checkpointIntervalNs] state in
      due = Due.collect(&state, nowNs: now(), checkpointIntervalNs: checkpointIntervalNs)
      defer { state.isChanged = false }
      return due.hasWork || state.isStopping || state.isChanged
    }
    if waiting {
      let pause = state.withLock { $0.pauseNs(nowNs: now()) }
      _ = state.wait(timeoutNs: pause, until: collect)
    } else {
      _ = state.withLock(collect)
    }
    for client in due.flushes { client.flushNow() }
    for client in due.marks { client.refreshMark(force: false) }
    if due.isCheckpoint { checkpoint.withLock { $0 }?() }
    return !due.isStopping || due.hasWork
  }

  private struct Due {
    var flushes: [any Client] = []
    var marks: [any Client] = []
    var isCheckpoint = false
    var isStopping = false
    var hasWork: Bool { !flushes.isEmpty || !marks.isEmpty || isCheckpoint }

    static func collect(_ state: inout State, nowNs: Int64, checkpointIntervalNs: Int64) -> Due {
      var due = Due()
      swap(&due.flushes, &state.requests)
      swap(&due.marks, &state.marks)
      due.isStopping = state.isStopping
      for client in state.clients {
        guard let intervalMs = client.flushIntervalMs else { continue }
        let id = ObjectIdentifier(client)
        let next = state.nextIntervalNs[id] ?? nowNs
        guard next <= nowNs else { continue }
        state.nextIntervalNs[id] = nowNs + Int64(intervalMs) * 1_000_000
        if client.isDirty { due.flushes.append(client) }
      }
      if state.nextCheckpointNs <= nowNs {
        state.nextCheckpointNs = nowNs + checkpointIntervalNs
        due.isCheckpoint = true
      }
      return due
    }
  }
}
