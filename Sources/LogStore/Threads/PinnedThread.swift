internal import CMkstoreShims
internal import Glibc

/// A thread of the operating system, bound to one core if requested.
///
/// Threads inherit their maker's affinity, so the process's main thread is never pinned, only
/// these. A core that the process may not use is not an error: the thread then runs where it may,
/// so that a machine with one core works too.
@safe package final class PinnedThread: @unchecked Sendable {
  // Safe: written once in init before another thread sees the object; then only join and deinit
  // read it.
  private var handle = pthread_t()
  private let isJoined = Locked(false)

  private final class Start {
    let name: String
    let core: Int?
    let nice: Int
    let body: @Sendable () -> Void

    init(name: String, core: Int?, nice: Int, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.core = core
      self.nice = nice
      self.body = body
    }
  }

  /// Starts a thread that runs `body` once.
  ///
  /// - Parameters:
  ///   - name: At most 15 bytes are shown by the system's tools.
  ///   - core: Number of a core the process may use; nil leaves the choice to the system.
  ///   - nice: How far it yields the processor to other threads, 0 to 19.
  ///   - body: What it does.
  package init(
    name: String, core: Int?, nice: Int = 0, body: @escaping @Sendable () -> Void
  ) {
    let start = Start(name: name, core: core, nice: nice, body: body)
    // Safe: the new thread takes ownership of the retained reference, once.
    let opaque = unsafe Unmanaged.passRetained(start).toOpaque()
    let code = unsafe pthread_create(
      &handle, nil,
      { argument in
        let start = unsafe Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
        if let core = start.core { _ = mk_pin_thread(Int32(core)) }
        if start.nice > 0 { _ = mk_lower_priority(Int32(start.nice)) }
        _ = unsafe start.name.withCString { unsafe mk_set_thread_name($0) }
        start.body()
        return nil
      }, opaque)
    precondition(code == 0, "pthread_create failed with error \(code)")
  }

  /// Waits until the thread has ended. Idempotent.
  package func join() {
    guard takeEnd() else { return }
    // A thread cannot wait for itself; it ends when it returns to its loop.
    if pthread_equal(handle, pthread_self()) == 0 {
      pthread_join(handle, nil)
    } else {
      pthread_detach(handle)
    }
  }

  /// Whether the thread was not joined or detached before; each ends the use of `handle`.
  private func takeEnd() -> Bool {
    isJoined.withLock { joined in
      defer { joined = true }
      return !joined
    }
  }

  /// A thread that is not joined frees its stack itself when it ends.
  deinit {
    if takeEnd() { pthread_detach(handle) }
  }
}
