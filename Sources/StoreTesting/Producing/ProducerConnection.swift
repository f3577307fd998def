import LogStore

/// A client's connection to the model of a server: requests in transit, and the answers to
/// processed ones, in order.
struct ProducerConnection {
  /// An answer that is ready, or will be once the log is durable up to an offset.
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
