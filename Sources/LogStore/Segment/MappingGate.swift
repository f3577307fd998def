internal import Glibc
internal import Synchronization

/// Lets threads touch the mapped indexes of a log until its owner gives the directory up.
///
/// A log object may outlive its store, in the hands of a reader. Whoever opens the store next may
/// cut an index, and the kernel kills a process that touches a mapping beyond its file's end. So
/// every look at mapped entries stands between `enter` and `leave`, and `shut` waits for those that
/// are under way. Any thread.
package final class MappingGate: Sendable {
  private static let shutBit = 1 << 62

  /// Threads within, and the bit that lets nobody in any more. `enter` and `shut` change the one
  /// word, so that either the thread is counted before `shut` looks or it sees the bit.
  private let word = Atomic<Int>(0)

  package init() {}

  /// Whether the mappings may be touched; then `leave` must follow.
  @inline(__always)
  package func enter() -> Bool {
    let (before, _) = word.wrappingAdd(1, ordering: .acquiring)
    if before & Self.shutBit == 0 { return true }
    leave()
    return false
  }

  /// Ends what `enter` began.
  @inline(__always)
  package func leave() { word.wrappingSubtract(1, ordering: .releasing) }

  /// Lets nobody in any more and waits, for no longer than a look-up takes, until all have left.
  package func shut() {
    word.bitwiseOr(Self.shutBit, ordering: .acquiringAndReleasing)
    while word.load(ordering: .acquiring) != Self.shutBit { sched_yield() }
  }
}
