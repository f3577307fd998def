import Glibc
import NIOCore
import NIOPosix

/// What the server is held against, each a process of its own: `mkstore-bench --peer …`.
enum Peers {
  /// Runs one for ever.
  static func run(_ words: [String]) throws {
    signal(SIGPIPE, SIG_IGN)
    switch words.first {
    case "sendfile": try sendfileLoop(words[1], chunkBytes: Int(words[2])!, limit: Int(words[3])!)
    case "echo": try echo(answerBytes: Int(words[1])!)
    default: fatalError("unknown peer \(words)")
    }
  }

  private static func sayPort(_ port: UInt16) {
    let text = "peer on 127.0.0.1:\(port)\n"
    _ = text.withCString { write(2, $0, strlen($0)) }
  }

  /// Sends a file's first bytes to whoever connects, a chunk at a time, again and again, unasked.
  private static func sendfileLoop(_ path: String, chunkBytes: Int, limit: Int) throws {
    let file = open(path, O_RDONLY)
    precondition(file >= 0, "\(path): \(errno)")
    let listener = LoopbackListener()
    sayPort(listener.port)
    while true {
      let peer = listener.accept()
      var position = off_t(0)
      while sendfile(peer, file, &position, min(chunkBytes, limit - Int(position))) > 0 {
        if Int(position) >= limit { position = 0 }
      }
      close(peer)
    }
  }

  /// Answers every frame of Kafka's framing with the same bytes, as plainly as NIO can.
  private static func echo(answerBytes: Int) throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
    let channel = try ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1024)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(EchoHandler(answerBytes))
        }
      }
      .bind(host: "127.0.0.1", port: 0).wait()
    sayPort(UInt16(channel.localAddress!.port!))
    try channel.closeFuture.wait()
  }
}

/// Answers each frame with a prebuilt one.
private final class EchoHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer
  private let answer: ByteBuffer
  private var inbound = ByteBuffer()

  init(_ answerBytes: Int) {
    var answer = ByteBuffer()
    answer.writeInteger(Int32(answerBytes - 4))
    answer.writeRepeatingByte(0, count: answerBytes - 4)
    self.answer = answer
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var part = unwrapInboundIn(data)
    if inbound.readableBytes == 0 { inbound = part } else { inbound.writeBuffer(&part) }
    while let size = inbound.getInteger(at: inbound.readerIndex, as: Int32.self),
      inbound.readableBytes >= 4 + Int(size)
    {
      inbound.moveReaderIndex(forwardBy: 4 + Int(size))
      context.write(wrapOutboundOut(answer), promise: nil)
    }
    if inbound.readableBytes == 0 { inbound = ByteBuffer() }
  }

  func channelReadComplete(context: ChannelHandlerContext) { context.flush() }
}

/// Reads what a peer sends unasked and drops it, as `LoadClient` drops bulk bytes.
func drain(port: UInt16, bytes: Int) -> Double {
  let socket = ClientSocket(port)
  let buffer = UnsafeMutableRawPointer.allocate(byteCount: 1 << 20, alignment: 4096)
  defer { buffer.deallocate() }
  var left = bytes
  let start = nowNs()
  while left > 0 {
    let count = recv(socket.descriptor, buffer, min(left, 1 << 20), Int32(0x20))
    precondition(count > 0, "the peer closed the connection: \(errno)")
    left -= count
  }
  return Double(nowNs() - start) / 1e9
}
