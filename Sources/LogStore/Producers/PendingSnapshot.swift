/// A producer snapshot that was taken under the writer lock and is written by the next flush, once
/// the log is durable up to it: a snapshot never runs ahead of its log.
package struct PendingSnapshot: Sendable {
  /// The offset in its name; it holds what all batches below say.
  package var offset: Int64
  package var state: ProducerState
}
