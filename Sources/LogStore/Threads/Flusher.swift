internal import CShims

/// Does the work of a store that nobody should wait for with a lock held: flushes that were asked
/// for without blocking, the interval durability, durable marks and checkpoints.
///
/// One thread that keeps the time, and helpers that are started once several logs wait at the same
/// time: a disk takes syncs of different files side by side (docs/performance.md#parallel-flushes).
/// A log is flushed by one of them at a time. Each is a loop around `step()`; tests that simulate
/// call `step()` themselves. A blocked appender whose log nobody flushes right now runs the flush
/// itself instead of waking a thread (docs/decisions/0004-who-flushes.md).
package final class Flusher: Sendable {
  /// A log, as the flusher needs it.
  package protocol Client: AnyObject, Sendable {
    /// Flushes what was appended so far and wakes who waits for it. Errors poison the client.
    func flushNow()
    /// Starts writing to the disk what `flushNow` will sync, and waits for nothing.
    func startFlush()
    /// Milliseconds of `.interval` durability; nil where flushing is not periodic.
    var flushIntervalMs: Int? { get }
    /// Whether anything was appended since the last flush.
    var isDirty: Bool { get }
    /// Makes the mark durable where enough was flushed since the last time.
    func refreshMark(force: Bool)
  }

  private struct State {
    var queue = FlushQueue()
    var marks: [any Client] = []
    /// Those that are flushed periodically.
    var periodic: [any Client] = []
    var isStopping = false
    /// A client came: the sleep must be measured anew.
    var isChanged = false
    var nextIntervalNs: [ObjectIdentifier: Int64] = [:]
    var nextCheckpointNs: Int64 = 0
    /// Threads that wait for work, the one that keeps the time among them.
    var idleCount = 0
    var helperCount = 0

    /// How long the thread may sleep before something periodic is due.
    func pauseNs(nowNs: Int64) -> Int64 {
      let interval = nextIntervalNs.values.min() ?? nextCheckpointNs
      let isFresh = periodic.contains { nextIntervalNs[ObjectIdentifier($0)] == nil }
      return isFresh ? 0 : max(0, min(interval, nextCheckpointNs) - nowNs)
    }
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

  /// Starts the thread that keeps the time; all threads run on `core` where one is given.
  package func start(core: Int?) {
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
  package func onCheckpoint(_ body: @escaping @Sendable () -> Void) {
    checkpoint.withLock { $0 = body }
  }

  /// Ends the threads after the requests at hand. Idempotent.
  package func stop() {
    state.withLock { $0.isStopping = true }
    state.broadcast()
    let running = threads.withLock { threads in
      defer { threads.running = [] }
      return threads.running
    }
    for thread in running { thread.join() }
    checkpoint.withLock { $0 = nil }
    // Nobody asks any more, and a log that stays here would keep itself.
    state.withLock { state in
      state.periodic = []
      state.queue = FlushQueue()
      state.marks = []
    }
  }

  /// Takes a log under its care.
  package func add(_ client: any Client) {
    guard client.flushIntervalMs != nil else { return }
    state.withLock { state in
      state.periodic.append(client)
      state.isChanged = true
    }
    state.broadcast()
  }

  /// Lets go of a log that closes.
  package func remove(_ client: any Client) {
    state.withLock { state in
      state.queue.remove(client)
      state.periodic.removeAll { $0 === client }
      state.marks.removeAll { $0 === client }
      state.nextIntervalNs[ObjectIdentifier(client)] = nil
    }
  }

  /// Asks for a flush of `client` soon. Never blocks on a disk.
  package func request(_ client: any Client) {
    let (wakes, lacksHelper) = state.withLock { state -> (Bool, Bool) in
      guard !state.isStopping, state.queue.request(client) else { return (false, false) }
      let lacksHelper =
        state.queue.count > state.idleCount && state.helperCount < helpersMax
      if lacksHelper { state.helperCount += 1 }
      return (state.idleCount > 0, lacksHelper)
    }
    if wakes { state.signal() }
    if lacksHelper { startHelper() }
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

  // MARK: Helpers

  private func startHelper() {
    threads.withLock { threads in
      // Without the first thread nobody flushes by itself: a simulation, or the end.
      guard !threads.running.isEmpty else { return }
      threads.running.append(
        PinnedThread(name: "mkstore-flush", core: threads.core) { [self] in
          while help() {}
        })
    }
  }

  /// Flushes one log; false when the thread is to end.
  private func help() -> Bool {
    var client: (any Client)?
    var following: [any Client] = []
    var isStopping = false
    waitForWork(timeoutNs: nil) { state in
      client = state.queue.take(&following)
      isStopping = state.isStopping
      return client != nil || isStopping
    }
    guard let client else { return !isStopping }
    for client in following { client.startFlush() }
    flush(client)
    return true
  }

  private func waitForWork(timeoutNs: Int64?, until isReady: (inout State) -> Bool) {
    var isIdle = false
    _ = state.wait(timeoutNs: timeoutNs) { state in
      if isIdle { state.idleCount -= 1 }
      isIdle = !isReady(&state)
      if isIdle { state.idleCount += 1 }
      return !isIdle
    }
    // The time was up.
    if isIdle { state.withLock { $0.idleCount -= 1 } }
  }

  /// Flushes a log that was taken from the queue, again where that was asked for meanwhile.
  private func flush(_ client: any Client) {
    repeat { client.flushNow() } while state.withLock { $0.queue.isWantedAgain(client) }
  }

  // MARK: Steps

  /// Carries out what is due.
  ///
  /// - Parameter waiting: Whether to wait for work where there is none; then also helpers may be at
  ///   work, and one flush is taken at a time.
  /// - Returns: False when the thread is to end.
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
    for client in due.following { client.startFlush() }
    for client in due.flushes { flush(client) }
    for client in due.marks { client.refreshMark(force: false) }
    if due.isCheckpoint { checkpoint.withLock { $0 }?() }
    return !due.isStopping || due.hasWork
  }

  private struct Due {
    var flushes: [any Client] = []
    /// Those that wait behind.
    var following: [any Client] = []
    var marks: [any Client] = []
    var isCheckpoint = false
    var isStopping = false
    var hasWork: Bool { !flushes.isEmpty || !marks.isEmpty || isCheckpoint }

    mutating func collect(
      _ state: inout State, nowNs: Int64, checkpointIntervalNs: Int64, takesAll: Bool
    ) {
      swap(&marks, &state.marks)
      isStopping = state.isStopping
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
      while let client = state.queue.take(&following) {
        flushes.append(client)
        if !takesAll { break }
      }
    }
  }
}

/// Logs that wait to be flushed, each once, and those that are being flushed.
private struct FlushQueue {
  /// From `first` on: those before it were taken. From `firstUnstarted` on: nobody has begun to
  /// write them to the disk.
  private var waiting: [(any Flusher.Client)?] = []
  private var first = 0
  private var firstUnstarted = 0
  private var isWaiting: Set<ObjectIdentifier> = []
  /// Whether one that is being flushed was asked for again meanwhile.
  private var running: [ObjectIdentifier: Bool] = [:]

  /// How many wait.
  var count: Int { waiting.count - first }

  /// Puts a log in; false where nobody needs to be woken for it.
  mutating func request(_ client: any Flusher.Client) -> Bool {
    let id = ObjectIdentifier(client)
    if running[id] != nil {
      running[id] = true
      return false
    }
    guard isWaiting.insert(id).inserted else { return false }
    waiting.append(client)
    return true
  }

  /// Most logs of which a thread starts the writing before it syncs its own.
  private static let startedMax = 8

  /// The next log, which counts as being flushed from now on.
  ///
  /// - Parameter following: Gets logs that wait behind it and whose writing is to be started, so
  ///   that a journal takes them in one commit (docs/performance.md#parallel-flushes).
  mutating func take(_ following: inout [any Flusher.Client]) -> (any Flusher.Client)? {
    guard first < waiting.count, let client = waiting[first] else { return nil }
    // A log that stays here would keep itself.
    waiting[first] = nil
    first += 1
    firstUnstarted = max(first, firstUnstarted)
    let started = firstUnstarted..<min(firstUnstarted + Self.startedMax, waiting.count)
    following += waiting[started].compactMap { $0 }
    firstUnstarted = started.upperBound
    if first == waiting.count {
      waiting.removeAll(keepingCapacity: true)
      (first, firstUnstarted) = (0, 0)
    } else if first >= 1024 {
      waiting.removeFirst(first)
      (first, firstUnstarted) = (0, firstUnstarted - first)
    }
    let id = ObjectIdentifier(client)
    isWaiting.remove(id)
    running[id] = false
    return client
  }

  /// Whether a log whose flush has ended is to be flushed once more by the same thread; where
  /// others wait it goes to the end of the queue instead.
  mutating func isWantedAgain(_ client: any Flusher.Client) -> Bool {
    let id = ObjectIdentifier(client)
    guard running[id] == true else {
      running[id] = nil
      return false
    }
    if first == waiting.count {
      running[id] = false
      return true
    }
    running[id] = nil
    _ = request(client)
    return false
  }

  /// Forgets a log that closes.
  mutating func remove(_ client: any Flusher.Client) {
    let id = ObjectIdentifier(client)
    if running[id] != nil { running[id] = false }
    guard isWaiting.remove(id) != nil else { return }
    waiting.removeSubrange(..<first)
    (first, firstUnstarted) = (0, 0)
    waiting.removeAll { $0 === client }
  }
}
