/// A producer snapshot that was taken under the writer lock and that the next flush writes, once
/// the log is durable up to it: a snapshot is never ahead of its log.
package struct PendingSnapshot: Sendable {
  /// The offset in its name; it is the state of all batches below.
  package var offset: Int64
  var state: ProducerState
}
