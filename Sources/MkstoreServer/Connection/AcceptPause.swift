internal import DiskIO
internal import Glibc
internal import LogStore
internal import Logging
internal import NIOCore

/// Pauses a listener while the process has no descriptor for another connection.
///
/// Without it the event loop would ask the kernel for the waiting connection again and again, which
/// takes a whole core. Owned by the listener's event loop.
final class AcceptPause: ChannelInboundHandler {
  typealias InboundIn = any Channel

  /// Length of the pause.
  static let restMs: Int64 = 100

  private let log: RateLimitedLog

  init(_ log: RateLimitedLog) { self.log = log }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // These errors end once a descriptor is closed.
    guard let code = (error as? IOError)?.errnoCode,
      [EMFILE, ENFILE, ENOMEM, ENOBUFS].contains(code)
    else {
      return context.fireErrorCaught(error)
    }
    tell(DiskError(.open, "another connection", code: code))
    let channel = context.channel
    setReading(false, channel)
    let this = NIOLoopBound(self, eventLoop: context.eventLoop)
    context.eventLoop.scheduleTask(in: .milliseconds(Self.restMs)) {
      this.value.setReading(true, channel)
    }
  }

  private func setReading(_ isReading: Bool, _ channel: any Channel) {
    do {
      try channel.syncOptions?.setOption(.autoRead, value: isReading)
    } catch {
      // The listener was closed meanwhile.
      log.log(
        .debug, cause: "a listener", "a listener does not answer",
        metadata: ["error": "\(error)"])
    }
  }

  private func tell(_ error: DiskError) {
    log.log(
      .error, cause: "no connection: error \(error.code)",
      "connections wait: none can be taken now",
      metadata: ["reason": "\(error.reason)", "remedy": "\(error.remedy ?? "free memory")"])
  }
}
