internal import CoreMetrics
internal import KafkaProtocol
internal import LogStore
internal import NIOCore

extension ConnectionHandler {
  /// Answers a fetch: at once where the bytes are hot, through a fetcher thread where they are
  /// not, later where there are too few.
  func fetch(_ request: FetchRequest, _ header: RequestHeader, _ number: AnswerQueue.Number) {
    // Sessions are refused as Kafka does: who asks for a new one is given none (id 0), who uses
    // one is told that it is not known.
    guard request.sessionEpoch == 0 || request.sessionEpoch == -1 else {
      let response = FetchResponse.with { $0.errorCode = .fetchSessionIdNotFound }
      return finish(number, Response(to: header, .fetch(response)))
    }
    isBusy = true
    let run = FetchRun(request.withoutRepeats, header, broker) { reader(of: $0) }
    let deadline = NIODeadline.now() + .milliseconds(Int64(max(0, request.maxWaitMs)))
    advance(FetchStep(run: run, number: number, deadline: deadline))
  }

  /// This client's cursor in a log.
  private func reader(of log: Log) -> LogReader {
    if let reader = readers[ObjectIdentifier(log)] { return reader }
    if readers.count >= Self.readersMax { readers = [:] }
    let reader = LogReader(log, rechecksEvicted: true)
    readers[ObjectIdentifier(log)] = reader
    return reader
  }

  /// Collects on the loop, and goes on with a fetcher thread where a disk may be needed.
  private func advance(_ step: FetchStep) {
    if step.run.collect(mayWait: false) { return conclude(step) }
    let loop = loop
    broker.metrics.coldFetches.increment()
    let this = NIOLoopBound(self, eventLoop: loop)
    broker.manager.fetchers.submit {
      _ = step.run.collect(mayWait: true)
      loop.execute { this.value.conclude(step) }
    }
  }

  /// Answers, or parks until there is more.
  private func conclude(_ step: FetchStep) {
    guard let context else {
      isBusy = false
      return process()
    }
    let left = step.deadline - NIODeadline.now()
    if step.run.isSatisfied || left <= .zero || isEnding { return answer(step) }
    broker.metrics.parkedFetches.increment()
    let this = NIOLoopBound(self, eventLoop: context.eventLoop)
    let fetch = ParkedFetch(context.eventLoop, timeout: left) { byRecords in
      let handler = this.value
      handler.parked = nil
      guard handler.context != nil else { return }
      guard byRecords else { return handler.answer(step) }
      var step = step
      step.wakes += 1
      step.run.reset()
      handler.advance(step)
    }
    parked = fetch
    for part in step.run.parts {
      guard let log = part.source?.log else { continue }
      fetch.add(log, beyond: part.awaitedEnd, ignoresEnd: step.wakes > 0)
    }
  }

  private func answer(_ step: FetchStep) {
    isBusy = false
    do {
      finish(step.number, .ready(try step.run.answer()))
    } catch {
      fail(error)
    }
    process()
  }
}

/// A fetch on its way.
struct FetchStep: Sendable {
  let run: FetchRun
  let number: AnswerQueue.Number
  let deadline: NIODeadline
  /// How often it was woken.
  var wakes = 0
}
