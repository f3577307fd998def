/// The events in runs of `ProducerRun`: a run in which nothing fails proves nothing.
package struct ProducerRunCounts: Sendable, CustomStringConvertible {
  /// What may happen to a store.
  package enum Event: String, CaseIterable, Sendable {
    /// A log failed of a write, of a sync.
    case failedWrite, failedSync
    /// A batch was refused because the disk was full, because descriptors or the like ran out,
    /// because its log had failed, because an earlier one had been refused.
    case diskFull, shortage, failedLog, earlierRefused
    /// A failed log was opened again; could not be opened yet.
    case reopened, notReopened
    case killed, powerCut, closed
    /// A connection ended with unfinished requests, and these were processed later.
    case disconnected, straggler
    /// A batch was already known.
    case duplicate
    case appended
  }

  private var counts: [Event: Int] = [:]

  package init() {}

  /// How often it happened.
  package subscript(_ event: Event) -> Int {
    get { counts[event, default: 0] }
    set { counts[event] = newValue }
  }

  /// Adds those of other runs.
  package mutating func add(_ other: ProducerRunCounts) {
    counts.merge(other.counts, uniquingKeysWith: +)
  }

  /// Kinds that have never happened.
  package var missing: [Event] { Event.allCases.filter { self[$0] == 0 } }

  package var description: String {
    Event.allCases.map { "\($0.rawValue) \(self[$0])" }.joined(separator: ", ")
  }
}
