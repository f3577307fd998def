internal import CoreMetrics
internal import DiskIO
internal import LogStore
internal import Logging
internal import MkstoreProtocol
internal import NIOCore

/// Sending answers. The only user of NIO's file types.
///
/// `NIOFileHandle` allows one access at a time, so two event loops must not share one
/// (docs/decisions/0007-file-handles.md). Every answer has its own handles over the segment's
/// descriptor, which the `FileRecords` keeps open until the last byte is sent.
extension ConnectionHandler {
  /// Most bytes of one sendfile; bounds how long another connection of the same event loop has to
  /// wait, about 50 µs.
  static let sendPieceBytes = 256 << 10

  /// Writes an answer; `sent` is completed when the kernel has all of it.
  func send(_ answer: Answer, _ context: ChannelHandlerContext, _ sent: EventLoopPromise<Void>) {
    let recordsBytes = answer.records.reduce(0) { $0 + $1.byteCount }
    broker.metrics.sentBytes.increment(by: answer.frame.bytes.count + recordsBytes)
    writtenBytes += answer.frame.bytes.count + recordsBytes
    do throws(LogError) {
      if recordsBytes <= broker.config.copiedAnswerBytesMax {
        try copy(answer, recordsBytes, context, sent)
      } else if let descriptors = try answer.sendDescriptors() {
        write(answer, descriptors, recordsBytes, context, sent)
      } else {
        try copy(answer, recordsBytes, context, sent)
      }
    } catch {
      sent.fail(error)
      fail(error)
    }
  }

  private func copy(
    _ answer: Answer, _ recordsBytes: Int, _ context: ChannelHandlerContext,
    _ sent: EventLoopPromise<Void>
  ) throws(LogError) {
    let bytes = try joined(answer, recordsBytes, context.channel.allocator)
    broker.metrics.copiedBytes.increment(by: recordsBytes)
    context.write(wrapOutboundOut(.byteBuffer(bytes)), promise: sent)
  }

  private func write(
    _ answer: Answer, _ descriptors: [Int32], _ recordsBytes: Int,
    _ context: ChannelHandlerContext, _ sent: EventLoopPromise<Void>
  ) {
    broker.metrics.sendfileBytes.increment(by: recordsBytes)
    let segments = answer.frame.segments
    for (index, segment) in segments.enumerated() {
      let promise = index == segments.count - 1 ? sent : nil
      switch segment {
      case .bytes(let range):
        let bytes = context.channel.allocator.buffer(bytes: answer.frame.bytes[range])
        context.write(wrapOutboundOut(.byteBuffer(bytes)), promise: promise)
      case .records(let source):
        write(answer.records[source.offset], descriptors[source.offset], context, promise)
      }
    }
  }

  private func write(
    _ records: FileRecords, _ descriptor: Int32, _ context: ChannelHandlerContext,
    _ sent: EventLoopPromise<Void>?
  ) {
    let promise = context.eventLoop.makePromise(of: Void.self)
    let this = NIOLoopBound(self, eventLoop: context.eventLoop)
    sending.append(records)
    let handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: descriptor)
    promise.futureResult.whenComplete { result in
      do {
        // The descriptor belongs to the segment: it is given back, open.
        _ = try handle.takeDescriptorOwnership()
      } catch {
        preconditionFailure("a file handle was busy after its write: \(error)")
      }
      // In the order in which they were begun, unless the connection ends.
      if !this.value.sending.isEmpty { this.value.sending.removeFirst() }
      withExtendedLifetime(records) { sent?.completeWith(result) }
    }
    let end = records.position + records.byteCount
    var start = records.position
    while start < end {
      let cut = min(end, start + Self.sendPieceBytes)
      let region = FileRegion(fileHandle: handle, readerIndex: start, endIndex: cut)
      context.write(wrapOutboundOut(.fileRegion(region)), promise: cut == end ? promise : nil)
      start = cut
    }
  }

  /// The whole answer in memory.
  private func joined(
    _ answer: Answer, _ recordsBytes: Int, _ allocator: ByteBufferAllocator
  ) throws(LogError) -> ByteBuffer {
    if answer.records.isEmpty { return allocator.buffer(bytes: answer.frame.bytes) }
    var bytes = allocator.buffer(capacity: answer.frame.bytes.count + recordsBytes)
    for segment in answer.frame.segments {
      switch segment {
      case .bytes(let range): bytes.writeBytes(answer.frame.bytes[range])
      case .records(let source):
        let records = answer.records[source.offset]
        let start = bytes.readableBytes
        bytes.writeRepeatingByte(0, count: records.byteCount)
        try bytes.withMutableBytes(start..<start + records.byteCount) {
          (target) throws(LogError) in
          try records.copy(to: &target)
        }
      }
    }
    return bytes
  }
}

extension Answer {
  /// The descriptor of each of the records' files, for sendfile; nil if one has none.
  func sendDescriptors() throws(LogError) -> [Int32]? {
    for part in records { try part.checkServed() }
    do throws(DiskError) {
      var descriptors: [Int32] = []
      descriptors.reserveCapacity(records.count)
      for part in records {
        guard let descriptor = try part.sendDescriptor() else { return nil }
        descriptors.append(descriptor)
      }
      return descriptors
    } catch {
      throw LogError(error)
    }
  }
}

extension FileRecords {
  /// Why the bytes cannot be sent: another process truncated the file before their end; nil if they
  /// can.
  var cutError: DiskError? {
    do throws(DiskError) {
      _ = try sendDescriptor()
      return nil
    } catch {
      return error
    }
  }

  /// - Throws: If another process truncated the file: sendfile ends without an error at the file's
  ///   end, and NIO would try again for ever.
  fileprivate func sendDescriptor() throws(DiskError) -> Int32? {
    try file.sendDescriptor(for: position..<position + byteCount)
  }
}

/// How a connection ends.
extension ConnectionHandler {
  /// Least that a client must read of its answers in `stalledWriteMaxMs`.
  static let takenBytesMin = 64 << 10

  /// State of a slow client: what it had read at the last check.
  struct Stall {
    var since: NIODeadline
    var takenBytes: Int
  }

  /// Finishes pending answers, accepts no new requests, and closes.
  func drain() {
    isEnding = true
    parked?.wake()
    closeIfDrained()
  }

  func closeIfDrained() {
    if isEnding, answers.isEmpty, unsentAnswers == 0 { context?.close(promise: nil) }
  }

  /// Logs that a client disconnected before its request was complete.
  func tellUnfinished(_ rest: ByteBuffer) {
    let size = rest.getInteger(at: rest.readerIndex, as: Int32.self)
    let whole = size.map { "\(Int($0) + MemoryLayout<Int32>.size)" } ?? "an unknown number"
    broker.rateLimitedLog.log(
      .info, cause: "ended within a request",
      "connection ended within a request: \(rest.readableBytes) bytes came of \(whole)",
      metadata: ["peer": peer])
  }

  /// Disconnects a client that neither requests nor reads anything; called every few seconds.
  func sweep(_ now: NIODeadline) {
    guard let context else { return }
    let idleMs = (now - lastRequestAt).nanoseconds / 1_000_000
    // A client that continues with other topics must not hold files of a deleted one, nor those of
    // a log that was opened again.
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
    // A file that was truncated meanwhile has no bytes to send, and its client would wait for them.
    if let error = sending.lazy.compactMap(\.cutError).first {
      isEnding = true
      return fail(error)
    }
    let takenBytes = writtenBytes - pendingBytes(context)
    guard let last = stall, takenBytes - last.takenBytes < Self.takenBytesMin else {
      stall = Stall(since: now, takenBytes: takenBytes)
      return
    }
    // A client that reads only a few bytes at a time would hold the files of an answer for days.
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
