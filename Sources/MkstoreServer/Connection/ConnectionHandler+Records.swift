internal import CoreMetrics
internal import LogStore
internal import Logging
internal import MkstoreProtocol
internal import NIOCore

extension ConnectionHandler {
  /// Appends a produce request's batches and answers when they are durable.
  ///
  /// The write is done here, on the event loop (microseconds into the page cache). The flusher does
  /// the sync, and completes every request that it made durable.
  func produce(
    _ request: ProduceRequest, _ header: RequestHeader, _ frame: inout ByteBuffer,
    _ number: AnswerQueue.Number
  ) {
    var response = ProduceResponse()
    var waits: [(log: Log, endOffset: Int64)] = []
    var places: [(topic: Int, partition: Int)] = []
    let refusal = broker.refusal(request, frame.readableBytesUInt8Span)
    for asked in request.topicData {
      var topic = ProduceResponse.Topic()
      topic.name = asked.name
      for partition in asked.partitionData {
        let outcome: ProduceOutcome
        if let (code, reason) = refusal {
          outcome = broker.refused(.with { $0.index = partition.index }, code, reason)
        } else {
          outcome = frame.withMutableBytes(partition.records?.range ?? 0..<0) { records in
            broker.append(
              topic: asked.name, partition: partition.index, version: header.apiVersion,
              records: &records)
          }
        }
        if let wait = outcome.wait {
          waits.append(wait)
          places.append((response.responses.count, topic.partitionResponses.count))
        }
        topic.partitionResponses.append(outcome.answer)
      }
      response.responses.append(topic)
    }
    if request.acks == 0 { return finishSilently(response, waits, number) }
    if waits.isEmpty { return finish(number, Response(to: header, .produce(response))) }
    answerOnceFlushed(response, header, waits, places, number)
  }

  private func answerOnceFlushed(
    _ response: ProduceResponse, _ header: RequestHeader, _ waits: [(log: Log, endOffset: Int64)],
    _ places: [(topic: Int, partition: Int)], _ number: AnswerQueue.Number
  ) {
    let loop = loop
    let this = NIOLoopBound(self, eventLoop: loop)
    let broker = broker
    _ = FlushLatch(waits) { failures in
      var response = response
      for (index, error) in failures {
        let (topic, partition) = places[index]
        let answer = response.responses[topic].partitionResponses[partition]
        response.responses[topic].partitionResponses[partition] =
          broker.refused(answer, ErrorCode(error), "\(error)").answer
      }
      let answer = Response(to: header, .produce(response))
      if loop.inEventLoop {
        this.value.finish(number, answer)
      } else {
        loop.execute {
          this.value.finish(number, answer)
          this.value.process()
        }
      }
    }
  }

  /// With acks 0 there is no answer; after an error the connection is closed, as in Kafka.
  private func finishSilently(
    _ response: ProduceResponse, _ waits: [(log: Log, endOffset: Int64)],
    _ number: AnswerQueue.Number
  ) {
    // No client waits, but consumers see records only once they are durable.
    for wait in waits { wait.log.onDurable(wait.endOffset) { _ in } }
    finish(number, .silent)
    let failed = response.responses.lazy.flatMap(\.partitionResponses).first {
      $0.errorCode != .none
    }
    guard let failed else { return }
    broker.rateLimitedLog.log(
      .info, cause: "acks 0: \(failed.errorCode.name)",
      "connection closed: a produce request with acks 0 failed",
      metadata: ["peer": peer, "error": "\(failed.errorCode.name)"])
    // Answers to earlier requests are sent first.
    drain()
  }
}

extension ConnectionHandler {
  /// Answers a fetch: at once if the bytes are hot, through a fetcher thread if they are not, later
  /// if there are too few.
  func fetch(_ request: FetchRequest, _ header: RequestHeader, _ number: AnswerQueue.Number) {
    // Sessions are refused as Kafka does: a client that asks for a new one gets none (id 0), and
    // one that uses one gets an error.
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

  /// Collects on the loop, and continues on a fetcher thread if a disk may be needed.
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

/// An unfinished fetch.
struct FetchStep: Sendable {
  let run: FetchRun
  let number: AnswerQueue.Number
  let deadline: NIODeadline
  /// How often it was woken.
  var wakes = 0
}
