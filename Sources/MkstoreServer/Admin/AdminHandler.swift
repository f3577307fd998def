internal import NIOCore

/// Answers `GET /metrics`, `/healthz` and `/readyz` over HTTP/1.1, one request per connection.
///
/// Implemented by hand, since this is the only use of HTTP. Owned by its event loop.
final class AdminHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Longest request.
  static let requestBytesMax = 8 << 10
  /// How long a client may take to send its request.
  static let requestSecondsMax: Int64 = 10

  /// An answer: status line and text.
  struct Page: Sendable {
    var status: String
    var text: String
  }

  /// Finds the page at a path and passes it on.
  typealias PageSource =
    @Sendable (_ path: String, _ reply: @escaping @Sendable (Page?) -> Void) -> Void

  private let page: PageSource
  private var received = ByteBuffer()
  private var isAnswered = false
  /// Whether only the head of an answer is requested.
  private var isHead = false
  private var timeout: Scheduled<Void>?

  /// - Parameter page: Replies with the page at a path, or nil if there is none, on any thread.
  init(page: @escaping PageSource) {
    self.page = page
  }

  func channelActive(context: ChannelHandlerContext) {
    let channel = context.channel
    timeout = context.eventLoop.scheduleTask(in: .seconds(Self.requestSecondsMax)) {
      channel.close(promise: nil)
    }
  }

  func channelInactive(context: ChannelHandlerContext) { timeout?.cancel() }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isAnswered else { return }
    var part = unwrapInboundIn(data)
    received.writeBuffer(&part)
    let text = String(buffer: received)
    if text.contains("\r\n\r\n") || text.contains("\n\n") {
      answer(context, to: text)
    } else if received.readableBytes > Self.requestBytesMax {
      send(context, Page(status: "431 Request Header Fields Too Large", text: "too long\n"))
    }
  }

  private func answer(_ context: ChannelHandlerContext, to request: String) {
    let words = request.prefix { !$0.isNewline }.split(separator: " ")
    guard words.count >= 2, words[0] == "GET" || words[0] == "HEAD" else {
      return send(context, Page(status: "405 Method Not Allowed", text: "GET only\n"))
    }
    let path = words[1].prefix { $0 != "?" }
    isHead = words[0] == "HEAD"
    isAnswered = true
    let loop = context.eventLoop
    let this = NIOLoopBound((handler: self, context: context), eventLoop: loop)
    page(String(path)) { page in
      loop.execute {
        let (handler, context) = this.value
        handler.send(
          context,
          page ?? Page(status: "404 Not Found", text: "/metrics, /healthz and /readyz are here\n"))
      }
    }
  }

  private func send(_ context: ChannelHandlerContext, _ page: Page) {
    isAnswered = true
    let text =
      "HTTP/1.1 \(page.status)\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
      + "Content-Length: \(page.text.utf8.count)\r\nConnection: close\r\n\r\n"
      + (isHead ? "" : page.text)
    let channel = context.channel
    context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(string: text)))
      .whenComplete { _ in channel.close(promise: nil) }
  }
}
