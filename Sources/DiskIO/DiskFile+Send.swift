internal import Glibc

extension DiskFile {
  /// Sends bytes of the file to a socket without bringing them into user space (sendfile(2)), or,
  /// where the file has no descriptor, by copying.
  ///
  /// - Parameters:
  ///   - socket: A connected stream socket; may be non-blocking.
  ///   - position: First byte.
  ///   - count: Bytes to send at most.
  /// - Returns: Bytes sent; fewer than `count` where a non-blocking socket is full (0: try later)
  ///   or the file ends.
  /// - Throws: `DiskError` of operation `.send`: `EPIPE` and `ECONNRESET` where the peer has gone.
  ///   The caller ignores SIGPIPE.
  public func send(to socket: Int32, from position: Int, count: Int) throws(DiskError) -> Int {
    guard let descriptor else { return try copy(to: socket, from: position, count: count) }
    var sent = 0
    while sent < count {
      var offset = off_t(position + sent)
      // Safe: `offset` is a local that the call updates; both descriptors outlive the call.
      let result = unsafe Glibc.sendfile(socket, descriptor, &offset, count - sent)
      if result > 0 {
        sent += result
      } else if result == 0 {
        return sent
      } else {
        let code = errno
        if code == EINTR { continue }
        if code == EAGAIN || code == EWOULDBLOCK { return sent }
        throw DiskError(.send, path, code: code)
      }
    }
    return sent
  }

  private func copy(to socket: Int32, from position: Int, count: Int) throws(DiskError) -> Int {
    var buffer = [UInt8](repeating: 0, count: min(count, 64 << 10))
    var sent = 0
    while sent < count {
      let wanted = min(buffer.count, count - sent)
      var target = buffer.mutableSpan
      var part = target._mutatingExtracting(first: wanted)
      let read = try read(into: &part, at: position + sent)
      guard read > 0 else { return sent }
      // Safe: the buffer holds at least `read` bytes and outlives the call.
      let result = unsafe buffer.withUnsafeBytes {
        unsafe Glibc.send(socket, $0.baseAddress, read, Int32(truncatingIfNeeded: MSG_NOSIGNAL))
      }
      if result < 0 {
        let code = errno
        if code == EINTR { continue }
        if code == EAGAIN || code == EWOULDBLOCK { return sent }
        throw DiskError(.send, path, code: code)
      }
      sent += result
    }
    return sent
  }
}
