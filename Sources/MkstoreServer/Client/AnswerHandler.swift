internal import MkstoreProtocol
internal import NIOCore

/// A request's bytes, and the promise of its answer.
struct Exchange: Sendable {
  let frame: [UInt8]
  /// The answer's frame without its size.
  let answer: EventLoopPromise<[UInt8]>
}

/// Sends one request at a time and receives its answer; owned by the connection's event loop.
final class AnswerHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = Exchange
  typealias OutboundOut = ByteBuffer

  private let endpoint: Endpoint
  private let timeout: TimeAmount
  private var received = ByteBuffer()
  private var waiting: EventLoopPromise<[UInt8]>?
  private var deadline: Scheduled<Void>?

  init(_ endpoint: Endpoint, timeout: TimeAmount) {
    self.endpoint = endpoint
    self.timeout = timeout
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let exchange = unwrapOutboundIn(data)
    guard waiting == nil, context.channel.isActive else {
      return exchange.answer.fail(closed)
    }
    waiting = exchange.answer
    let this = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
    let (endpoint, timeout) = (endpoint, timeout)
    deadline = context.eventLoop.scheduleTask(in: timeout) {
      let seconds = timeout.nanoseconds / 1_000_000_000
      this.value.handler.end(
        this.value.context,
        AdminError("\(endpoint) did not answer within \(seconds) s; is it a Kafka broker?"))
    }
    context.write(wrapOutboundOut(ByteBuffer(bytes: exchange.frame)), promise: promise)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var part = unwrapInboundIn(data)
    received.writeBuffer(&part)
    do throws(ProtocolError) {
      guard let size = try FrameSize.read(received.readableBytesUInt8Span),
        received.readableBytes >= FrameSize.byteCount + size
      else { return }
      received.moveReaderIndex(forwardBy: FrameSize.byteCount)
      let frame = received.readBytes(length: size) ?? []
      received.discardReadBytes()
      deadline?.cancel()
      let answer = waiting
      waiting = nil
      answer?.succeed(frame)
    } catch {
      end(context, AdminError("\(endpoint) does not speak Kafka's protocol: \(error)"))
    }
  }

  func channelInactive(context: ChannelHandlerContext) { end(context, closed) }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    end(context, AdminError("\(endpoint): \(error)"))
  }

  private var closed: AdminError {
    AdminError(
      "\(endpoint) closed the connection; is it a Kafka listener without TLS and SASL?"
    )
  }

  private func end(_ context: ChannelHandlerContext, _ error: AdminError) {
    deadline?.cancel()
    let answer = waiting
    waiting = nil
    answer?.fail(error)
    context.close(promise: nil)
  }
}
