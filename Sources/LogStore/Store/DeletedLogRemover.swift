internal import DiskIO
internal import Logging

/// Removes the files of deleted logs, on a thread of its own that lives while there is something to
/// do: unlinking large files takes long, and nobody should wait for it. Any thread may submit.
final class DeletedLogRemover: Sendable {
  private struct State {
    var paths: [String] = []
    var isRunning = false
    var isStopping = false
    var thread: PinnedThread?
  }

  private let store: String
  private let context: StoreContext
  /// Whether `submit` does the work itself: in a simulation.
  private let isInline: Bool
  private let state = Locked(State())

  init(_ store: String, _ context: StoreContext, isInline: Bool) {
    self.store = store
    self.context = context
    self.isInline = isInline
  }

  /// Removes a renamed directory soon.
  func submit(_ path: String) {
    if isInline { return remove(path) }
    let finished = state.withLock { state -> PinnedThread? in
      if state.isStopping { return nil }
      state.paths.append(path)
      if state.isRunning { return nil }
      state.isRunning = true
      defer {
        state.thread = PinnedThread(name: "mkstore-delete", core: nil) { [self] in drain() }
      }
      return state.thread
    }
    finished?.join()
  }

  /// Ends the thread after the directory at hand; the next opening removes the others. Idempotent.
  func stop() {
    let running = state.withLock { state in
      state.isStopping = true
      state.paths = []
      defer { state.thread = nil }
      return state.thread
    }
    running?.join()
  }

  private func drain() {
    while true {
      let next = state.withLock { state -> String? in
        if state.paths.isEmpty {
          state.isRunning = false
          return nil
        }
        return state.paths.removeFirst()
      }
      guard let next else { return }
      remove(next)
    }
  }

  private func remove(_ path: String) {
    do throws(DiskError) {
      try DeletedLog.remove(path, in: store, context.disk)
    } catch {
      // The log is gone all the same; its files take space until the next opening tries again.
      context.rateLimitedLog.log(
        .warning, cause: "deleted files",
        "a deleted log's files were not removed",
        metadata: ["path": "\(path)", "error": "\(error)"])
    }
  }
}
