internal import CMkstoreShims

/// A value that is accessible only under a lock, with a condition to wait on.
///
/// A pthread mutex, not `Synchronization.Mutex`: ThreadSanitizer understands it, so that the
/// concurrent tests can gate (docs/decisions/0003-pthread-lock.md). Not recursive. Uncontended
/// cost about 20 ns. Any thread may call any method.
@safe package final class Locked<Value>: @unchecked Sendable {
  // Safe: made in init, freed in deinit, and `value` is accessed only between lock and unlock.
  private let monitor: OpaquePointer
  private let value: UnsafeMutablePointer<Value>

  /// Takes over `initial`.
  package init(_ initial: Value) {
    unsafe monitor = mk_monitor_create()
    unsafe value = .allocate(capacity: 1)
    unsafe value.initialize(to: initial)
  }

  deinit {
    unsafe mk_monitor_destroy(monitor)
    unsafe value.deinitialize(count: 1)
    unsafe value.deallocate()
  }

  /// Runs `body` with the value, under the lock.
  package func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    unsafe mk_monitor_lock(monitor)
    defer { unsafe mk_monitor_unlock(monitor) }
    return try unsafe body(&value.pointee)
  }

  /// Waits until `isReady` is true of the value; woken by `broadcast`.
  ///
  /// - Parameter timeoutNs: Longest wait in nanoseconds of the monotonic clock; nil for ever.
  /// - Returns: Whether `isReady` held (false: timed out).
  package func wait(timeoutNs: Int64? = nil, until isReady: (inout Value) -> Bool) -> Bool {
    let deadline = timeoutNs.map { mk_monotonic_ns() + max(0, min($0, 1 << 55)) }
    unsafe mk_monitor_lock(monitor)
    defer { unsafe mk_monitor_unlock(monitor) }
    while true {
      if unsafe isReady(&value.pointee) { return true }
      guard let deadline else {
        unsafe mk_monitor_wait(monitor)
        continue
      }
      let left = deadline - mk_monotonic_ns()
      if left <= 0 { return false }
      _ = unsafe mk_monitor_wait_for(monitor, left)
    }
  }

  /// Wakes one waiting thread, if there is one.
  package func signal() {
    unsafe mk_monitor_signal(monitor)
  }

  /// Wakes every waiting thread.
  package func broadcast() {
    unsafe mk_monitor_broadcast(monitor)
  }
}
