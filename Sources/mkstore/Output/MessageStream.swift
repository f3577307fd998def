/// Where the server's log lines go: to the writer, and whoever logs never waits.
struct MessageStream: TextOutputStream, Sendable {
  let writer: MessageWriter

  mutating func write(_ line: String) { writer.write(line) }
}
