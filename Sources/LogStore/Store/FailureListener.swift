/// Who wants to know when a log of a store has failed (I8); nobody at first. Any thread.
package final class FailureListener: Sendable {
  package typealias Body = @Sendable (TopicPartition) -> Void

  private let body = Locked<Body?>(nil)

  package init() {}

  /// Calls `body` for each log that fails from now on, on the thread that met the failure; it must
  /// not block. nil: nobody any more.
  package func set(_ body: Body?) { self.body.withLock { $0 = body } }

  /// Tells that a log has failed. Not under a lock.
  func note(_ topicPartition: TopicPartition) { body.withLock { $0 }?(topicPartition) }
}
