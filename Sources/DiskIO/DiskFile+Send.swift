internal import Glibc

extension DiskFile {
  /// `send` for files without a descriptor: reads the bytes and writes them to the socket.
  public func sendCopy(
    to socket: Int32, from position: Int, count: Int
  ) throws(DiskError) -> Int {
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
