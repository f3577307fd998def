package import DiskIO

/// Whole batches of a log as bytes of a file: what `sendfile` is given.
///
/// ```swift
/// if let records = try reader.read(from: offset, maxBytes: 1 << 20) {
///   var sent = 0
///   while sent < records.byteCount { sent += try records.send(to: socket, skipping: sent) }
/// }
/// ```
///
/// The bytes never change and were checked by this process since it opened the log (or written by
/// it); a page that the kernel evicted since and reads again is not checked again
/// (docs/serving.md#checked-bytes). The file stays open as long as this value lives, except where
/// its records are removed from the log: then for twice `file.delete.delay.ms` at most.
public struct FileRecords: Sendable {
  let files: SegmentFiles
  /// Position of the first byte: a batch's start.
  public let position: Int
  /// Number of bytes; ends with a batch.
  public let byteCount: Int
  /// Offset of the first batch's first record, at or below the offset that was asked for.
  public let baseOffset: Int64
  /// Offset to go on reading at.
  public let nextOffset: Int64
}

extension FileRecords {
  /// The segment's `.log` file.
  package var file: any DiskFile { files.log }

  /// Throws `.offsetOutOfRange` where the segment was removed from the log so long ago that its
  /// bytes are gone: `file.delete.delay.ms` after its files were unlinked.
  package func checkServed() throws(LogError) { try files.service.check(baseOffset) }

  /// Copies the bytes to memory, replacing what `buffer` holds; its capacity is reused.
  ///
  /// - Throws: `.disk` with EIO where another process cut the file meanwhile; `.offsetOutOfRange`
  ///   where the records were removed from the log long ago.
  public func copy(into buffer: inout [UInt8]) throws(LogError) {
    if buffer.count < byteCount {
      buffer.append(contentsOf: repeatElement(0, count: byteCount - buffer.count))
    } else if buffer.count > byteCount {
      buffer.removeLast(buffer.count - byteCount)
    }
    var target = buffer.mutableSpan
    try copy(to: &target)
  }

  /// Copies the bytes to `target`, which has room for just so many; else as `copy(into:)`.
  package func copy(to target: inout MutableSpan<UInt8>) throws(LogError) {
    precondition(target.count == byteCount, "room for \(target.count) of \(byteCount) bytes")
    try checkServed()
    do throws(DiskError) {
      let count = try file.read(into: &target, at: position)
      guard count == byteCount else { throw DiskError.cutShort(file.path) }
    } catch {
      // It may have been removed since.
      try checkServed()
      throw LogError(error)
    }
  }

  /// Sends the bytes to a connected socket by sendfile, without bringing them into user space.
  ///
  /// - Parameters:
  ///   - socket: A stream socket of the caller's; with a blocking one everything is sent.
  ///   - sent: Bytes of these that went out before, after a short send.
  /// - Returns: Bytes sent now; fewer than what is left where a non-blocking socket is full.
  /// - Throws: `.disk` with EPIPE or ECONNRESET where the peer has gone (ignore SIGPIPE);
  ///   `.offsetOutOfRange` where the records were removed from the log long ago.
  public func send(to socket: Int32, skipping sent: Int = 0) throws(LogError) -> Int {
    try checkServed()
    do throws(DiskError) {
      return try file.send(to: socket, from: position + sent, count: byteCount - sent)
    } catch {
      try checkServed()
      throw LogError(error)
    }
  }
}
