import Glibc
import LogStore

/// Writes lines to standard error on its own thread, so that a server never waits for its reader: a
/// pager, a held terminal, a supervisor that hangs.
///
/// Lines are written whole and in order. A line for which there is no room in the queue, or that
/// cannot be written, is dropped and counted, and the count is written where lines are missing. The
/// descriptor may be shared with a shell, so it stays blocking, and only the thread blocks in it.
/// Any thread may write.
final class MessageWriter: Sendable {
  /// Most waiting bytes: some thousand lines.
  static let bytesMax = 256 << 10
  /// How long all `isPatient` lines together wait for room.
  static let patienceNs: Int64 = 2_000_000_000

  private struct State {
    var queue: LineQueue
    var patienceNs = MessageWriter.patienceNs
    var isStopping = false
  }

  private let descriptor: Int32
  private let didLose: @Sendable (Int) -> Void
  private let state: Locked<State>

  /// Starts the thread.
  ///
  /// - Parameters:
  ///   - descriptor: Where lines go.
  ///   - bytesMax: Most waiting bytes.
  ///   - didLose: Called with the number of dropped lines, on any thread.
  init(
    _ descriptor: Int32 = StandardStreams.error, bytesMax: Int = MessageWriter.bytesMax,
    didLose: @escaping @Sendable (Int) -> Void = { _ in }
  ) {
    self.descriptor = descriptor
    self.didLose = didLose
    state = Locked(State(queue: LineQueue(bytesMax: bytesMax)))
    // Never joined: it may be blocked until standard error is read.
    _ = PinnedThread(name: "mkstore-messages", core: nil) { [self] in run() }
  }

  /// Adds one whole line, with its line feed.
  ///
  /// - Parameter isPatient: Whether to wait for room if there is none. A few lines of the start may
  ///   do that, an event loop may not; all of them together for `patienceNs`.
  func write(_ line: String, isPatient: Bool = false) {
    let bytes = Array(line.utf8)
    if isPatient { waitForRoom(bytes.count) }
    let lost = state.withLock { $0.queue.add(bytes) }
    state.broadcast()
    if lost > 0 { didLose(lost) }
  }

  /// Waits until everything is written, but no longer than `milliseconds`.
  func drain(milliseconds: Int64) {
    _ = state.wait(timeoutNs: milliseconds * 1_000_000) { $0.queue.isEmpty }
  }

  /// Lets the thread end once everything is written.
  func stop() {
    state.withLock { $0.isStopping = true }
    state.broadcast()
  }

  private func waitForRoom(_ count: Int) {
    let (hasRoom, patienceNs) = state.withLock { ($0.queue.hasRoom(for: count), $0.patienceNs) }
    if hasRoom || patienceNs <= 0 { return }
    let clock = ContinuousClock()
    let waited = clock.measure {
      _ = state.wait(timeoutNs: patienceNs) { $0.queue.hasRoom(for: count) }
    }
    state.withLock { $0.patienceNs -= Int64(waited / .nanoseconds(1)) }
  }

  // MARK: The thread

  private func run() {
    var isMidLine = false
    while let item = next() {
      let bytes =
        switch item {
        case .line(let line): line
        case .note(let lost): MessageWriter.note(lost: lost)
        }
      let isWritten = put(bytes, isMidLine: &isMidLine)
      let lost = state.withLock { $0.queue.finish(item, isWritten: isWritten) }
      state.broadcast()
      if lost > 0 { didLose(lost) }
    }
  }

  private func next() -> LineQueue.Item? {
    var item: LineQueue.Item?
    _ = state.wait { state in
      item = state.queue.next
      return item != nil || state.isStopping
    }
    return item
  }

  /// Writes a line; if a failed write (a full disk) left the previous one unfinished, it is ended
  /// first.
  private func put(_ bytes: [UInt8], isMidLine: inout Bool) -> Bool {
    let bytes = isMidLine ? [UInt8(ascii: "\n")] + bytes : bytes
    let (written, code) = StandardStreams.write(bytes.span, to: descriptor)
    if written > 0 { isMidLine = bytes[written - 1] != UInt8(ascii: "\n") }
    return code == 0
  }

  private static func note(lost: Int) -> [UInt8] {
    let lines = lost == 1 ? "1 line was" : "\(lost) lines were"
    return Array("mkstore: \(lines) dropped here, since standard error was blocked\n".utf8)
  }
}
