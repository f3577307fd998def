/// A listener for an event of a store's logs: a failure (I8), or damage that was found. None at
/// first. Any thread.
package final class FailureListener: Sendable {
  package typealias Body = @Sendable (TopicPartition) -> Void

  private let body = Locked<Body?>(nil)

  package init() {}

  /// Calls `body` for each later event, on the thread that met it; it must not block. nil: removes
  /// the listener.
  package func set(_ body: Body?) { self.body.withLock { $0 = body } }

  /// Reports an event. Not under a lock.
  func note(_ topicPartition: TopicPartition) { body.withLock { $0 }?(topicPartition) }
}
