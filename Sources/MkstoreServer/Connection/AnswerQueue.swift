internal import NIOCore

/// The answers that a connection owes, in the order of its requests.
///
/// Requests may finish in any order; answers leave in the order in which the requests came. Owned
/// by the connection's event loop.
struct AnswerQueue {
  /// The number of a request on its connection.
  typealias Number = Int

  /// What became of a request.
  enum Outcome {
    /// Still being worked on.
    case pending
    /// To be sent.
    case ready(Answer)
    /// The client wants no answer.
    case silent
  }

  /// One request and what became of it.
  struct Slot {
    var apiKey: Int16
    var startedAt: NIODeadline
    var outcome: Outcome = .pending
  }

  private var slots = CircularBuffer<Slot>()
  private var first: Number = 0

  /// Requests without an answer that has left.
  var count: Int { slots.count }

  /// Whether nothing is owed.
  var isEmpty: Bool { slots.isEmpty }

  /// Takes in a request.
  mutating func open(_ apiKey: Int16) -> Number {
    slots.append(Slot(apiKey: apiKey, startedAt: .now()))
    return first + slots.count - 1
  }

  /// Notes what became of a request.
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
  /// The element `offset` places behind the first.
  fileprivate subscript(offset offset: Int) -> Element {
    get { self[index(startIndex, offsetBy: offset)] }
    set { self[index(startIndex, offsetBy: offset)] = newValue }
  }
}
