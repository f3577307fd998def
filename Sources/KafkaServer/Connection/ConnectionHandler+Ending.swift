internal import Logging
internal import LogStore
internal import NIOCore

/// How a connection ends.
extension ConnectionHandler {
  /// Least that a client takes of its answers in `stalledWriteMaxMs`.
  static let takenBytesMin = 64 << 10

  /// A client that is slow to take its answers: what it had taken when it was looked at.
  struct Stall {
    var since: NIODeadline
    var takenBytes: Int
  }

  /// Answers what is under way, takes nothing new, and closes.
  func drain() {
    isEnding = true
    parked?.wake()
    closeIfDrained()
  }

  func closeIfDrained() {
    if isEnding, answers.isEmpty, unsentAnswers == 0 { context?.close(promise: nil) }
  }

  /// Says that a client went away before its request was there whole.
  func tellUnfinished(_ rest: ByteBuffer) {
    let size = rest.getInteger(at: rest.readerIndex, as: Int32.self)
    let whole = size.map { "\(Int($0) + MemoryLayout<Int32>.size)" } ?? "an unknown number"
    broker.rateLimitedLog.log(
      .info, cause: "ended within a request",
      "connection ended within a request: \(rest.readableBytes) bytes came of \(whole)",
      metadata: ["peer": peer])
  }

  /// Cuts off a client that neither asks nor takes anything; called every few seconds.
  func sweep(_ now: NIODeadline) {
    guard let context else { return }
    let idleMs = (now - lastRequestAt).nanoseconds / 1_000_000
    // A client that goes on with other topics must not hold a deleted one's files, nor those of a
    // log that was opened again.
    if readers.values.contains(where: \.isOfEndedLog) {
      readers = readers.filter { !$0.value.isOfEndedLog }
    }
    guard unsentAnswers > 0 else {
      stall = nil
      guard answers.isEmpty else { return }
      // A silent client must not hold segments open.
      if idleMs > broker.config.idleReadersMaxMs { readers = [:] }
      if idleMs > broker.config.connectionIdleMaxMs {
        isEnding = true
        context.close(promise: nil)
      }
      return
    }
    // A file that was cut meanwhile has no bytes to send, and its client would wait for them.
    if let error = sending.lazy.compactMap(\.cutError).first {
      isEnding = true
      return fail(error)
    }
    let takenBytes = writtenBytes - pendingBytes(context)
    guard let last = stall, takenBytes - last.takenBytes < Self.takenBytesMin else {
      stall = Stall(since: now, takenBytes: takenBytes)
      return
    }
    // Who takes a few bytes now and then would hold the files of an answer for days.
    if (now - last.since).nanoseconds / 1_000_000 > broker.config.stalledWriteMaxMs {
      broker.rateLimitedLog.log(
        .info, cause: "takes too little",
        "connection closed: the client takes too little of its answers",
        metadata: ["peer": peer, "bytes": "\(takenBytes - last.takenBytes)"])
      isEnding = true
      context.close(promise: nil)
    }
  }

  private func pendingBytes(_ context: ChannelHandlerContext) -> Int {
    do {
      return try context.channel.syncOptions?.getOption(.bufferedWritableBytes) ?? 0
    } catch {
      return 0
    }
  }
}
