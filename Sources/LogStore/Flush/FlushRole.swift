/// Who flushes a log: one thread at a time. Not held as a lock while it syncs, so that others can
/// look, and wait for what they need. First of a log's locks. Any thread.
package final class FlushRole: Sendable {
  private let isTaken = Locked(false)

  package init() {}

  /// Takes the role where no thread has it.
  package func tryTake() -> Bool {
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

  package func giveBack() {
    isTaken.withLock { isTaken in
      precondition(isTaken, "I7: the flush role is given back by a thread that does not have it")
      isTaken = false
    }
    isTaken.broadcast()
  }

  /// Whether a thread has the role.
  package var isHeld: Bool { isTaken.withLock { $0 } }

  /// Waits until no thread has the role, or `isReached`; that is looked at when the role is given
  /// back and at `wake`.
  package func wait(until isReached: () -> Bool) {
    _ = isTaken.wait { isTaken in !isTaken || isReached() }
  }

  /// Lets those who wait look again.
  package func wake() { isTaken.broadcast() }
}
