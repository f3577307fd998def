/// The stream of the server's log lines: passes them to the writer, so that logging never waits.
struct MessageStream: TextOutputStream, Sendable {
  let writer: MessageWriter

  mutating func write(_ line: String) { writer.write(line) }
}
