internal import NIOCore

/// The pending answers of a connection, in the order of its requests.
///
/// Requests may finish in any order; answers are sent in the order in which the requests came.
/// Owned by the connection's event loop.
struct AnswerQueue {
  /// The number of a request on its connection.
  typealias Number = Int

  /// The result of a request.
  enum Outcome {
    /// Not finished yet.
    case pending
    /// To be sent.
    case ready(Answer)
    /// The client wants no answer.
    case silent
  }

  /// One request and its result.
  struct Slot {
    var apiKey: Int16
    var startedAt: NIODeadline
    var outcome: Outcome = .pending
  }

  private var slots = CircularBuffer<Slot>()
  private var first: Number = 0

  /// Requests whose answer was not sent yet.
  var count: Int { slots.count }

  /// Whether no answer is pending.
  var isEmpty: Bool { slots.isEmpty }

  /// Adds a request.
  mutating func open(_ apiKey: Int16) -> Number {
    slots.append(Slot(apiKey: apiKey, startedAt: .now()))
    return first + slots.count - 1
  }

  /// Sets the result of a request.
  mutating func finish(_ number: Number, _ outcome: Outcome) {
    let index = number - first
    precondition(index >= 0 && index < slots.count, "answer \(number) is not owed")
    slots[offset: index].outcome = outcome
  }

  /// The next request that is finished and has none unfinished before it.
  mutating func next() -> Slot? {
    guard let slot = slots.first else { return nil }
    if case .pending = slot.outcome { return nil }
    first += 1
    return slots.removeFirst()
  }
}

extension CircularBuffer {
  /// The element `offset` places after the first.
  fileprivate subscript(offset offset: Int) -> Element {
    get { self[index(startIndex, offsetBy: offset)] }
    set { self[index(startIndex, offsetBy: offset)] = newValue }
  }
}
