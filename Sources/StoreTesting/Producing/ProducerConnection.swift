import LogStore

/// A client's connection to the model of a server: requests on their way, and the answers to those
/// that were carried out, in order.
struct ProducerConnection {
  /// An answer that is there, or comes once the log is durable so far.
  final class Reply: Sendable {
    private let answer: Locked<ProducerClient.Answer?>

    init(_ answer: ProducerClient.Answer?) { self.answer = Locked(answer) }

    var known: ProducerClient.Answer? { answer.withLock { $0 } }

    func settle(_ found: ProducerClient.Answer) { answer.withLock { $0 = $0 ?? found } }
  }

  /// Requests that the server has not read.
  var requests: [ProducerClient.Batch] = []
  /// Answers that the client has not read.
  var replies: [Reply] = []
}
