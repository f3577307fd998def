internal import CoreMetrics
internal import LogStore
internal import Logging
internal import MkstoreBytes
internal import MkstoreProtocol
internal import NIOCore
internal import Synchronization

/// One client's connection: cuts its bytes into frames, starts each request, and sends the answers
/// in order.
///
/// Produce requests do not wait for each other's flushes, so that one flush serves all of them; any
/// other request is finished before the next one starts, as in Kafka. While answers pile up unread
/// or a request is unfinished, the client's further bytes stay in the kernel. Owned by the
/// channel's event loop; results of other threads return through it.
final class ConnectionHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = IOData
  typealias OutboundOut = IOData

  /// Most requests of a connection that are processed at once.
  static let requestsMax = 128
  /// Bytes that are read ahead while a request is processed, to notice a disconnect.
  static let readAheadBytesMax = 64 << 10
  /// Most readers that a connection keeps; beyond that it drops all and starts over.
  static let readersMax = 2048

  let broker: Broker
  let loopConnections: LoopConnections
  private(set) var context: ChannelHandlerContext?
  private(set) var answers = AnswerQueue()
  /// Whether a request other than produce is being processed.
  var isBusy = false
  var parked: ParkedFetch?
  /// Cursors in the logs that this client fetches from.
  var readers: [ObjectIdentifier: LogReader] = [:]
  private var inbound = ByteBuffer()
  private var accountedBytes = 0
  /// Bytes of a large waiting request, or of its answer until that is sent.
  var heldBytes = 0
  /// Whether the client is still connected, for other threads.
  let presence = Presence()
  private var isProcessing = false
  /// No new request is accepted; the connection closes once pending answers are sent.
  var isEnding = false
  private var isReadWanted = false
  private(set) var unsentAnswers = 0
  private var isFlushScheduled = false
  private(set) var lastRequestAt = NIODeadline.now()
  /// Bytes of answers handed to the channel so far.
  var writtenBytes = 0
  var stall: Stall?
  /// Records that sendfile is sending or has yet to send, in order.
  var sending: [FileRecords] = []

  init(_ broker: Broker, _ loopConnections: LoopConnections) {
    self.broker = broker
    self.loopConnections = loopConnections
  }

  // MARK: Opening and closing

  func channelActive(context: ChannelHandlerContext) {
    self.context = context
    if let address = context.remoteAddress { peer = "\(address)" }
    loopConnections.add(self)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.context = nil
    presence.end()
    if let parked {
      parked.cancel()
      self.parked = nil
      isBusy = false
    }
    readers = [:]
    loopConnections.remove(self)
    // Requests before the end still count: a producer with acks 0 sends and disconnects.
    process()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // Resets and broken pipes are caused by clients.
    broker.logger.debug("connection failed", metadata: ["peer": peer, "error": "\(error)"])
    context.close(promise: nil)
  }

  /// The loop that owns this connection.
  var loop: any EventLoop { loopConnections.loop }

  /// The client's address, for log lines.
  private(set) var peer: Logger.MetadataValue = "unknown"

  // MARK: Bytes in

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var part = unwrapInboundIn(data)
    broker.metrics.receivedBytes.increment(by: part.readableBytes)
    if inbound.readableBytes == 0 {
      inbound = part
    } else {
      if inbound.readerIndex > inbound.capacity / 2 { inbound.discardReadBytes() }
      inbound.writeBuffer(&part)
    }
    process()
  }

  func read(context: ChannelHandlerContext) {
    if isReadingAhead {
      isReadWanted = true
    } else {
      context.read()
    }
  }

  private var isReadingAhead: Bool {
    !mayStart && inbound.readableBytes > Self.readAheadBytesMax
  }

  private var mayStart: Bool {
    guard !isBusy, !isEnding else { return false }
    guard let context else { return true }
    return answers.count < Self.requestsMax && context.channel.isWritable
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { process() }
    context.fireChannelWritabilityChanged()
  }

  /// Starts every complete request that may start.
  func process() {
    guard !isProcessing else { return }
    isProcessing = true
    // Removed temporarily, so that records are edited in place while the connection's state
    // changes.
    var buffer = ByteBuffer()
    swap(&buffer, &inbound)
    var failure: ProtocolError?
    do throws(ProtocolError) {
      while mayStart, try start(&buffer) {}
    } catch {
      failure = error
    }
    swap(&buffer, &inbound)
    isProcessing = false
    if let failure {
      inbound = ByteBuffer()
      return refuse(failure)
    }
    if context == nil, !isBusy {
      // The connection is over, and so is its last request: the rest will never be a request.
      if !isEnding, inbound.readableBytes > 0 { tellUnfinished(inbound) }
      inbound = ByteBuffer()
    } else if inbound.readableBytes == 0 {
      inbound = ByteBuffer()
    }
    account(inbound.readableBytes + heldBytes)
    sendReady()
    if isReadWanted, !isReadingAhead {
      isReadWanted = false
      context?.read()
    }
  }

  /// Starts the request at the start of `buffer`; false if it is incomplete.
  private func start(_ buffer: inout ByteBuffer) throws(ProtocolError) -> Bool {
    let limits = ProtocolLimits(frameBytesMax: broker.config.requestBytesMax)
    guard let size = try FrameSize.read(buffer.readableBytesUInt8Span, limits: limits),
      buffer.readableBytes >= FrameSize.byteCount + size
    else { return false }
    buffer.moveReaderIndex(forwardBy: FrameSize.byteCount)
    var frame = ByteBuffer()
    let isWhole = buffer.readableBytes == size
    if isWhole {
      swap(&frame, &buffer)
    } else {
      // Safe to force: the check above ensures that the bytes exist.
      frame = buffer.readSlice(length: size)!
    }
    lastRequestAt = .now()
    if let key = largeRequest(frame) {
      // A disconnected client only needs its produce requests to be processed.
      if context != nil { handUndecoded(frame, key, answers.open(key), limits: limits) }
      return true
    }
    do throws(ProtocolError) {
      let request = try Request.decode(frame.readableBytesUInt8Span, limits: limits)
      start(request, &frame)
    } catch {
      guard case .unsupportedVersion(let header, _) = error, header.api == .apiVersions else {
        throw error
      }
      let number = answers.open(header.apiKey)
      finish(number, ApiVersionsResponse.unsupportedVersion(of: header))
    }
    return true
  }

  private func start(_ request: Request, _ frame: inout ByteBuffer) {
    if context == nil {
      guard case .produce = request.body else { return }
    }
    let number = answers.open(request.header.apiKey)
    switch request.body {
    case .produce(let body):
      let unready = broker.logsToPrepare(body)
      if unready.isEmpty {
        produce(body, request.header, &frame, number)
      } else {
        prepare(unready, body, request.header, frame, number)
      }
    case .fetch(let body): fetch(body, request.header, number)
    default:
      if broker.isAnsweredAtOnce(request) {
        finish(number, Response(to: request.header, broker.answer(request)))
      } else {
        isBusy = true
        hand(request, number)
      }
    }
  }

  /// Lets a thread that may block prepare the writes, then produces.
  private func prepare(
    _ logs: [(log: Log, byteCount: Int)], _ request: ProduceRequest, _ header: RequestHeader,
    _ frame: ByteBuffer, _ number: AnswerQueue.Number
  ) {
    isBusy = true
    let loop = loop
    let this = NIOLoopBound(self, eventLoop: loop)
    let broker = broker
    broker.preparer.submit {
      broker.prepare(logs)
      loop.execute {
        var frame = frame
        this.value.isBusy = false
        this.value.produce(request, header, &frame, number)
        this.value.process()
      }
    }
  }

  /// Lets a thread that may block answer.
  private func hand(_ request: Request, _ number: AnswerQueue.Number) {
    let loop = loop
    let this = NIOLoopBound(self, eventLoop: loop)
    let broker = broker
    broker.threads(for: request.body.api).submit {
      let answer = Response(to: request.header, broker.answer(request))
      loop.execute {
        this.value.isBusy = false
        this.value.finish(number, answer)
        this.value.process()
      }
    }
  }

  /// Closes the connection of a peer that does not speak Kafka's protocol.
  func refuse(_ error: ProtocolError) {
    broker.metrics.malformedRequests.increment()
    broker.rateLimitedLog.log(
      .warning, cause: error.kind, "connection closed: \(error)", metadata: ["peer": peer])
    // Answers to earlier requests are sent first.
    drain()
  }

  // MARK: Memory

  /// Counts the bytes of an unfinished or waiting request; if there are too many over all
  /// connections, this one is closed.
  private func account(_ bytes: Int) {
    let change = bytes - accountedBytes
    guard change != 0 else { return }
    accountedBytes = bytes
    // Relaxed: only the sum counts.
    let total = broker.bufferedBytes.wrappingAdd(change, ordering: .relaxed).newValue
    guard total > broker.config.bufferedRequestBytesMax, bytes > Self.readAheadBytesMax else {
      return
    }
    broker.rateLimitedLog.log(
      .warning, cause: "unfinished requests",
      "connection closed: unfinished requests take \(total) bytes over all connections",
      metadata: ["peer": peer, "limit": "\(broker.config.bufferedRequestBytesMax)"])
    isEnding = true
    context?.close(promise: nil)
  }

  // MARK: Answers out

  /// Sets a request's answer and sends it once it is next.
  func finish(_ number: AnswerQueue.Number, _ response: Response) {
    do throws(ProtocolError) {
      finish(number, .ready(Answer(frame: try response.encode())))
    } catch {
      fail(error)
    }
  }

  /// Sets a request's result and sends what is next.
  func finish(_ number: AnswerQueue.Number, _ outcome: AnswerQueue.Outcome) {
    guard context != nil else { return }
    answers.finish(number, outcome)
    if !isProcessing { sendReady() }
  }

  /// An answer cannot be encoded: a bug, or a message beyond every bound.
  func fail(_ error: any Error) {
    broker.rateLimitedLog.log(
      .error, cause: "an answer", "connection closed: an answer cannot be sent",
      metadata: ["peer": peer, "error": "\(error)"])
    context?.close(promise: nil)
  }

  private func sendReady() {
    guard let context else { return }
    var isWritten = false
    while let slot = answers.next() {
      if case .ready(let answer) = slot.outcome {
        let sent = context.eventLoop.makePromise(of: Void.self)
        unsentAnswers += 1
        let this = NIOLoopBound(self, eventLoop: context.eventLoop)
        sent.futureResult.whenComplete { _ in this.value.didSend() }
        send(answer, context, sent)
        isWritten = true
      }
      broker.metrics.answered(
        slot.apiKey, nanoseconds: (NIODeadline.now() - slot.startedAt).nanoseconds)
    }
    if isWritten { flush(context) }
    closeIfDrained()
  }

  /// Flushes written answers to the kernel: at once if no other answer is pending, else at the end
  /// of the loop's turn, so that answers which one sync made ready leave in one system call.
  private func flush(_ context: ChannelHandlerContext) {
    if answers.isEmpty { return context.flush() }
    guard !isFlushScheduled else { return }
    isFlushScheduled = true
    let this = NIOLoopBound(self, eventLoop: loop)
    loop.execute {
      this.value.isFlushScheduled = false
      this.value.context?.flush()
    }
  }

  private func didSend() {
    unsentAnswers -= 1
    if heldBytes > 0, unsentAnswers == 0, !isBusy {
      heldBytes = 0
      account(inbound.readableBytes)
    }
    closeIfDrained()
  }
}
