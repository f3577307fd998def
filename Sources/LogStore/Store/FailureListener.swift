/// Who wants to know when something has happened to a log of a store: it has failed (I8), or damage
/// of it was found. No one at first. Any thread.
package final class FailureListener: Sendable {
  package typealias Body = @Sendable (TopicPartition) -> Void

  private let body = Locked<Body?>(nil)

  package init() {}

  /// Calls `body` for each log to which it happens from now on, on the thread that met it; it must
  /// not block. nil: nobody any more.
  package func set(_ body: Body?) { self.body.withLock { $0 = body } }

  /// Tells that it has happened. Not under a lock.
  func note(_ topicPartition: TopicPartition) { body.withLock { $0 }?(topicPartition) }
}
