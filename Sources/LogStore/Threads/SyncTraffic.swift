internal import CMkstoreShims
internal import DiskIO

/// Tells readers of cold bytes whether a caller waits for a sync.
///
/// A disk serves a sync after the reads that it got before, and a kernel that reads ahead gives it
/// megabytes: a durable append would wait for a scan. So a scan of cold bytes reads small pieces
/// while the store is synced, and yields to each sync. If so much is written that syncs wait for
/// writes instead, a scan does not yield, or it would never catch up
/// (docs/performance.md#cold-scans). Any thread.
package final class SyncTraffic: Sendable {
  private struct State {
    var runningCount = 0
    var waitingCount = 0
    var lastEndNs: Int64?
    /// Bytes synced since `windowStartNs`, and how many a second there were in the window before.
    var windowBytes = 0
    var windowStartNs: Int64 = 0
    var bytesPerSecond = 0.0
  }

  /// How much a store is synced.
  package enum Level: Sendable {
    /// No syncs.
    case none
    /// Syncs of few bytes, each limited by how busy the disk is.
    case light
    /// Syncs of so many bytes that they keep the disk busy themselves.
    case heavy
  }

  private let state = Locked(State())
  private let waitMaxNs: Int64
  private let now: @Sendable () -> Int64

  /// For this long after a sync the next one is expected.
  static let recentNs: Int64 = 1_000_000_000
  /// From this many bytes a second on, traffic is heavy.
  static let heavyBytesPerSecond = 64.0 * 1024 * 1024
  private static let windowNs: Int64 = 100_000_000

  /// - Parameters:
  ///   - waitMaxNs: Longest wait of `giveWay`, so that a store that is synced without a pause can
  ///     be read too.
  ///   - now: Monotonic nanoseconds.
  package init(
    waitMaxNs: Int64 = 500_000, now: @escaping @Sendable () -> Int64 = { mk_monotonic_ns() }
  ) {
    self.waitMaxNs = waitMaxNs
    self.now = now
  }

  /// Runs `body`, a sync that a caller waits for.
  func sync(_ body: () throws(DiskError) -> Void) throws(DiskError) {
    state.withLock { $0.runningCount += 1 }
    defer {
      let wakes = state.withLock { state in
        state.runningCount -= 1
        state.lastEndNs = now()
        return state.runningCount == 0 && state.waitingCount > 0
      }
      if wakes { state.broadcast() }
    }
    try body()
  }

  /// Records that this many bytes were made durable.
  func noteSynced(_ byteCount: Int) {
    let nowNs = now()
    state.withLock { state in
      state.windowBytes += byteCount
      let elapsedNs = nowNs - state.windowStartNs
      guard elapsedNs >= Self.windowNs else { return }
      state.bytesPerSecond = Double(state.windowBytes) / Double(elapsedNs) * 1e9
      state.windowBytes = 0
      state.windowStartNs = nowNs
    }
  }

  /// How much the store is synced now or was a short while ago.
  package var level: Level {
    state.withLock { state in
      if state.runningCount == 0 {
        guard let last = state.lastEndNs, now() - last < Self.recentNs else { return .none }
      }
      return state.bytesPerSecond >= Self.heavyBytesPerSecond ? .heavy : .light
    }
  }

  /// Waits until no sync runs, for a bounded time.
  func giveWay() {
    let isFree = state.withLock { state in
      if state.runningCount == 0 { return true }
      state.waitingCount += 1
      return false
    }
    if isFree { return }
    _ = state.wait(timeoutNs: waitMaxNs) { $0.runningCount == 0 }
    state.withLock { $0.waitingCount -= 1 }
  }

  /// Threads in `giveWay` that wait.
  var waitingCount: Int { state.withLock { $0.waitingCount } }
}
