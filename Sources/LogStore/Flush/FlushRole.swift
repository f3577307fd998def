/// Which thread flushes a log; one at a time. It is not a lock held during the sync, so other
/// threads can check it and wait. First of a log's locks. Any thread.
package final class FlushRole: Sendable {
  private let isTaken = Locked(false)

  package init() {}

  /// Takes the role if no thread has it.
  func tryTake() -> Bool {
    isTaken.withLock { isTaken in
      if isTaken { return false }
      isTaken = true
      return true
    }
  }

  /// Takes the role, once no other thread has it.
  package func take() {
    while !tryTake() { wait { false } }
  }

  func giveBack() {
    isTaken.withLock { isTaken in
      precondition(isTaken, "I7: the flush role is given back by a thread that does not have it")
      isTaken = false
    }
    isTaken.broadcast()
  }

  /// Whether a thread has the role.
  package var isHeld: Bool { isTaken.withLock { $0 } }

  /// Waits until no thread has the role, or until `isReached`, which is checked when the role is
  /// released and at `wake`.
  package func wait(until isReached: () -> Bool) {
    _ = isTaken.wait { isTaken in !isTaken || isReached() }
  }

  /// Makes waiting threads check again.
  package func wake() { isTaken.broadcast() }
}
