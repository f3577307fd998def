import Glibc

/// Below which size an answer is copied into one send, and above which its records go out by
/// sendfile behind the header: the sender's ways side by side, one answer at a time.
func answerSizeRows(_ scale: Scale) -> [Row] {
  [4, 16, 32, 64, 128, 256].flatMap { size in
    [
      answerRow(scale, size << 10, "header, sendfile", cork: false),
      answerRow(scale, size << 10, "header MSG_MORE, sendfile", cork: true),
    ]
  }
}

private func answerRow(_ scale: Scale, _ bytes: Int, _ name: String, cork: Bool) -> Row {
  let count = scale.count(max(2000, (256 << 20) / bytes / 4))
  var file: BareFile?
  func descriptor() -> Int32 {
    if let file { return file.descriptor }
    let made = BareFile("answers")
    made.write([UInt8](repeating: 0x61, count: 1 << 20), at: 0)
    file = made
    return made.descriptor
  }
  let header = [UInt8](repeating: 0, count: 96)
  return Row(
    name: "serve: answer of \(bytes >> 10) KiB, \(name)", unit: "answers/s", goal: "",
    ours: {
      let source = descriptor()
      return try pingPong(count, bytes + header.count) { socket in
        _ = header.withUnsafeBytes {
          send(socket, $0.baseAddress, $0.count, cork ? Int32(MSG_MORE) : 0)
        }
        var position = off_t(0)
        while Int(position) < bytes {
          precondition(sendfile(socket, source, &position, bytes - Int(position)) > 0)
        }
      }
    },
    ceiling: (
      "copied into one send",
      {
        let source = descriptor()
        var buffer = [UInt8](repeating: 0, count: header.count + bytes)
        return try pingPong(count, buffer.count) { socket in
          buffer.withUnsafeMutableBytes {
            precondition(pread(source, $0.baseAddress! + header.count, bytes, 0) == bytes)
            var sent = 0
            while sent < $0.count {
              sent += send(socket, $0.baseAddress! + sent, $0.count - sent, 0)
            }
          }
        }
      }
    ),
    passes: 3, note: { "" }, cleanUp: { file = nil })
}

/// Sends an answer for each byte that the other side asks with.
private func pingPong(
  _ count: Int, _ bytes: Int, _ answer: (Int32) -> Void
) throws -> Pass {
  let listener = LoopbackListener()
  let client = ClientSocket(listener.port)
  let (ours, theirs) = (listener.accept(), client.descriptor)
  close(listener.descriptor)
  var yes: Int32 = 1
  setsockopt(ours, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, 4)
  let thread = startThread {
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    for _ in 0..<count {
      precondition(send(theirs, &buffer, 1, 0) == 1)
      var have = 0
      while have < bytes {
        let got = recv(theirs, &buffer, buffer.count, 0)
        precondition(got > 0)
        have += got
      }
    }
  }
  var byte: UInt8 = 0
  let start = nowNs()
  for _ in 0..<count {
    precondition(recv(ours, &byte, 1, 0) == 1)
    answer(ours)
  }
  pthread_join(thread, nil)
  let seconds = Double(nowNs() - start) / 1e9
  close(ours)
  withExtendedLifetime(client) {}
  return Pass(seconds: seconds, units: Double(count))
}
