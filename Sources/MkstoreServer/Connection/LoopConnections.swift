internal import NIOCore

/// The connections of one event loop, for what concerns all of them: idle ones, and the end.
///
/// Safe to send (`@unchecked Sendable`): `handlers` is used only on `loop`, which every method
/// checks.
final class LoopConnections: @unchecked Sendable {
  let loop: any EventLoop
  private var handlers: [ObjectIdentifier: ConnectionHandler] = [:]

  /// - Parameter sweepMs: How often connections are checked.
  init(_ loop: any EventLoop, sweepMs: Int64) {
    self.loop = loop
    loop.scheduleRepeatedTask(
      initialDelay: .milliseconds(sweepMs), delay: .milliseconds(sweepMs)
    ) { [weak self] task in
      guard let self else { return task.cancel() }
      let now = NIODeadline.now()
      for handler in self.handlers.values { handler.sweep(now) }
    }
  }

  /// Adds an opened connection.
  func add(_ handler: ConnectionHandler) {
    loop.preconditionInEventLoop()
    handlers[ObjectIdentifier(handler)] = handler
  }

  /// Removes a closed connection.
  func remove(_ handler: ConnectionHandler) {
    loop.preconditionInEventLoop()
    handlers[ObjectIdentifier(handler)] = nil
  }

  /// Lets every connection finish and close.
  func drain() {
    loop.execute {
      for handler in self.handlers.values { handler.drain() }
    }
  }
}
