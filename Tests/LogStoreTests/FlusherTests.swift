import Testing

@testable import LogStore

/// Who flushes what was asked for, and when: the threads of the flusher.
struct FlusherTests {
  /// A log that notes its flushes and may be held within one.
  private final class Client: Flusher.Client {
    struct State {
      var flushes = 0
      var running = 0
      var runningMax = 0
      var isHeld = false
    }
    let state = Locked(State())

    func startFlush() {}
    var flushIntervalMs: Int? { nil }
    var isDirty: Bool { true }
    func refreshMark(force: Bool) {}

    func flushNow() {
      state.withLock { state in
        state.running += 1
        state.runningMax = max(state.runningMax, state.running)
      }
      state.broadcast()
      // Ends in any case, so that a broken flusher fails a test and does not hang it.
      _ = state.wait(timeoutNs: Self.patienceNs) { !$0.isHeld }
      state.withLock { state in
        state.running -= 1
        state.flushes += 1
      }
      state.broadcast()
    }

    func hold(_ isHeld: Bool) {
      state.withLock { $0.isHeld = isHeld }
      state.broadcast()
    }

    func isReached(_ condition: (State) -> Bool) -> Bool {
      state.wait(timeoutNs: Self.patienceNs) { condition($0) }
    }

    static let patienceNs: Int64 = 60_000_000_000
  }

  private func started(threadsMax: Int) -> Flusher {
    let flusher = Flusher(threadsMax: threadsMax)
    flusher.start(core: nil)
    return flusher
  }

  @Test func severalLogsAreFlushedConcurrently() {
    let flusher = started(threadsMax: 3)
    let clients = (0..<3).map { _ in Client() }
    for client in clients { client.hold(true) }
    for client in clients { flusher.request(client) }
    for client in clients { #expect(client.isReached { $0.running == 1 }) }
    for client in clients { client.hold(false) }
    for client in clients { #expect(client.isReached { $0.flushes == 1 }) }
    flusher.stop()
  }

  @Test func noMoreThreadsThanAllowedFlushConcurrently() {
    let flusher = started(threadsMax: 2)
    let clients = (0..<3).map { _ in Client() }
    for client in clients { client.hold(true) }
    for client in clients { flusher.request(client) }
    #expect(clients[0].isReached { $0.running == 1 })
    #expect(clients[1].isReached { $0.running == 1 })
    #expect(clients[2].state.withLock { $0.running } == 0)
    clients[0].hold(false)
    #expect(clients[2].isReached { $0.running == 1 })
    for client in clients { client.hold(false) }
    flusher.stop()
    #expect(clients.allSatisfy { $0.state.withLock { $0.flushes } == 1 })
  }

  /// What is asked for while a flush runs may have come too late for it, so that another one must
  /// follow; but never beside it.
  @Test func aLogAskedForDuringItsFlushIsFlushedOnceMoreAndNeverTwiceAtOnceConcurrently() {
    let flusher = started(threadsMax: 4)
    let client = Client()
    client.hold(true)
    flusher.request(client)
    #expect(client.isReached { $0.running == 1 })
    for _ in 0..<10 { flusher.request(client) }
    client.hold(false)
    flusher.stop()
    let state = client.state.withLock { $0 }
    #expect(state.flushes == 2)
    #expect(state.runningMax == 1)
  }

  @Test func aLogThatWasLetGoOfIsNotFlushed() {
    let flusher = started(threadsMax: 1)
    let (busy, gone, kept) = (Client(), Client(), Client())
    busy.hold(true)
    flusher.request(busy)
    #expect(busy.isReached { $0.running == 1 })
    flusher.request(gone)
    flusher.request(kept)
    flusher.remove(gone)
    busy.hold(false)
    flusher.stop()
    #expect(gone.state.withLock { $0.flushes } == 0)
    #expect(kept.state.withLock { $0.flushes } == 1)
  }

  @Test func whatWasAskedForBeforeTheEndIsFlushed() {
    let flusher = started(threadsMax: 2)
    let clients = (0..<50).map { _ in Client() }
    for client in clients { flusher.request(client) }
    flusher.stop()
    #expect(clients.allSatisfy { $0.state.withLock { $0.flushes } == 1 })
  }

  @Test func aStepTakesAllThatWaits() {
    let flusher = Flusher(threadsMax: 4)
    let clients = (0..<3).map { _ in Client() }
    for client in clients { flusher.request(client) }
    flusher.step(waiting: false)
    #expect(clients.allSatisfy { $0.state.withLock { $0.flushes } == 1 })
  }
}
