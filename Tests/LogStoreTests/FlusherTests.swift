import DiskIO
import Glibc
import Logging
import StoreTesting
import Testing

@testable import LogStore

/// Who flushes what was asked for, and when: the threads of the flusher.
struct FlusherTests {
  /// How a log answers when it is asked for a flush by the journal.
  private enum Start { case begun, idle, alone }

  /// A log's part of a group.
  private struct Member: JournalMember {
    let owner: Client
    var client: any JournalClient { owner }
    var entry: JournalEntry {
      JournalEntry(
        logName: "t-0", topicId: .zero, segmentBase: 0, position: 0, byteCount: 100,
        offsets: 0..<1, payloadStart: 0, crc: 0)
    }
    func read(into bytes: inout MutableSpan<UInt8>) throws(DiskError) {
      owner.during.withLock { body in
        defer { body = nil }
        return body
      }?()
    }
    func end(isDurable: Bool) { owner.end(isDurable: isDurable) }
  }

  /// A log that notes its flushes and may be held within one.
  private final class Client: Flusher.Client, JournalClient {
    struct State {
      var flushes = 0
      var running = 0
      var runningMax = 0
      var isHeld = false
      var start = Start.begun
      var hasBegun = 0
      var journaledFlushes = 0
      var intervalMs: Int?
    }
    let state = Locked(State())
    /// What is done while its bytes are read for the journal, once.
    let during = Locked<(@Sendable () -> Void)?>(nil)

    func startFlush() {}

    let logName = "t-0"
    let recoveryPoint: Int64 = 1
    let needsNoJournal = false
    let isFailed = false
    func beginOwnSync() -> OwnSync? { nil }
    func endOwnSync(_ sync: OwnSync, isSynced: Bool) {}
    func keepEntries(_ groups: [UInt8]) throws(DiskError) {}

    func beginJournaledFlush(bytesMax: Int) -> JournalStart {
      state.withLock { state in
        switch state.start {
        case .idle: return .idle
        case .alone: return .alone
        case .begun:
          state.hasBegun += 1
          return .begun(Member(owner: self))
        }
      }
    }

    func end(isDurable: Bool) {
      state.withLock { state in
        state.hasBegun -= 1
        if isDurable { state.journaledFlushes += 1 } else { state.flushes += 1 }
      }
      state.broadcast()
    }
    var flushIntervalMs: Int? { state.withLock { $0.intervalMs } }
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

  /// A flusher with a journal, a log that keeps its only thread busy, and logs that wait behind it.
  private struct Crowd {
    let disk = SimulatedDisk()
    let journal: Journal
    let flusher: Flusher
    let busy = Client()
    let clients: [Client]

    init(_ count: Int, threadsMax: Int = 1) throws {
      flusher = Flusher(threadsMax: threadsMax)
      try disk.installDirectory("/data")
      journal = Journal(
        disk, directory: "/data",
        Journal.Settings(logCountMin: 5, fileBytes: 64 << 10, filesMax: 2, usesThread: false),
        Journal.Context(
          logger: .silent, rateLimitedLog: RateLimitedLog(.silent, now: { 0 }),
          metrics: StoreMetrics(), traffic: SyncTraffic(), group: nil,
          now: { 0 }))
      #expect(!journal.isWanted(forLogs: 5))
      journal.step(waiting: false)
      #expect(journal.isWanted(forLogs: 5) && !journal.isWanted(forLogs: 4))
      flusher.use(journal)
      clients = (0..<count).map { _ in Client() }
      flusher.start(core: nil)
      busy.hold(true)
      flusher.request(busy)
      #expect(busy.isReached { $0.running == 1 })
    }

    /// Asks for all, lets the thread go on, waits for so many flushes of each, and for the end.
    func run(flushes: Int = 0) {
      for client in clients { flusher.request(client) }
      busy.hold(false)
      for client in clients {
        #expect(client.isReached { $0.flushes + $0.journaledFlushes >= flushes })
      }
      flusher.stop()
      #expect(clients.allSatisfy { $0.state.withLock { $0.hasBegun } == 0 })
    }

    var journaledFlushes: [Int] { clients.map { $0.state.withLock { $0.journaledFlushes } } }
    var flushes: [Int] { clients.map { $0.state.withLock { $0.flushes } } }
  }

  @Test func manyLogsThatWaitShareOneWrite() throws {
    let crowd = try Crowd(20)
    let before = crowd.disk.counters.calls[.write, default: 0]
    crowd.run()
    #expect(crowd.disk.counters.calls[.write, default: 0] == before + 1)
    #expect(crowd.journaledFlushes == [Int](repeating: 1, count: 20))
    #expect(crowd.flushes == [Int](repeating: 0, count: 20))
  }

  @Test func fewLogsThatWaitDoNotShare() throws {
    let crowd = try Crowd(3)
    crowd.run()
    #expect(crowd.flushes == [1, 1, 1])
  }

  /// What is appended while the bytes are read may be missing from them.
  @Test func logsAskedForDuringTheWriteAreFlushedOnceMore() throws {
    let crowd = try Crowd(8)
    let (flusher, clients) = (crowd.flusher, crowd.clients)
    clients[0].during.withLock {
      $0 = { for client in clients { flusher.request(client) } }
    }
    crowd.run(flushes: 2)
    #expect(crowd.journaledFlushes == [Int](repeating: 2, count: 8))
  }

  @Test func logsThatCannotShareAreFlushedByThemselves() throws {
    let crowd = try Crowd(8)
    for client in crowd.clients[..<5] { client.state.withLock { $0.start = .alone } }
    crowd.clients[5].state.withLock { $0.start = .idle }
    crowd.run()
    #expect(crowd.flushes == [1, 1, 1, 1, 1, 0, 0, 0])
    #expect(crowd.journaledFlushes == [0, 0, 0, 0, 0, 0, 1, 1])
  }

  @Test func afterAFailedWriteEveryLogSyncsForItself() throws {
    let crowd = try Crowd(8)
    crowd.disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.write]))
    let (flusher, clients) = (crowd.flusher, crowd.clients)
    clients[0].during.withLock {
      $0 = { for client in clients { flusher.request(client) } }
    }
    crowd.run(flushes: 2)
    #expect(crowd.disk.faultFired)
    #expect(crowd.flushes == [Int](repeating: 2, count: 8))
    #expect(crowd.journaledFlushes == [Int](repeating: 0, count: 8))
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

  @Test func aLogOfAnIntervalIsFlushedAgainAndAgainByTheThread() {
    let flusher = started(threadsMax: 1)
    // A second start is none.
    flusher.start(core: nil)
    let client = Client()
    client.state.withLock { $0.intervalMs = 1 }
    flusher.add(client)
    #expect(client.isReached { $0.flushes >= 3 })
    flusher.remove(client)
    flusher.stop()
  }

  /// What was taken is let go of now and then, and nobody is lost by it.
  @Test func everyOneOfManyThatWaitIsTakenOnceAndInOrder() {
    var queue = FlushQueue()
    let clients = (0..<3_000).map { _ in Client() }
    for client in clients { _ = queue.request(client) }
    var taken: [any Flusher.Client] = []
    var following: [any Flusher.Client] = []
    while let client = queue.take(following: &following) { taken.append(client) }
    #expect(taken.count == 3_000 && following.count == 2_999)
    #expect(zip(taken, clients).allSatisfy { $0 === $1 })
  }

  /// One that closes while it is flushed is not flushed once more.
  @Test func aLogThatClosesDuringItsFlushWaitsNoMore() {
    var queue = FlushQueue()
    let client = Client()
    _ = queue.request(client)
    let taken = queue.take()
    let isNew = queue.request(client)
    #expect(taken === client && !isNew)
    queue.remove(client)
    let isWanted = queue.isWantedAgain(client)
    #expect(!isWanted && queue.count == 0)
  }
}
