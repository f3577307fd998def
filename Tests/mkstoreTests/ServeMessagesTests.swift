import Foundation
import MkstoreProcessTesting
import Testing

/// The server goes on, and stops, where its messages are not read.
struct ServeMessagesTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// A server whose standard error is a pipe, ready, and the pipe full.
  private func serveIntoFullPipe() throws -> (server: ChildProcess, pipe: Pipe) {
    let pipe = Pipe()
    let server = try ChildProcess(
      Tool.path,
      [
        "serve", "--data", directory.path("data"), "--listen", "127.0.0.1:0", "--set",
        "log.level=debug",
      ], messages: pipe.fileHandleForWriting)
    try pipe.fileHandleForWriting.close()
    var said = Data()
    while !String(decoding: said, as: UTF8.self).contains("ready after") {
      let more = pipe.fileHandleForReading.availableData
      try #require(!more.isEmpty, "\(String(decoding: said, as: UTF8.self))")
      said += more
    }
    // Its own description of the pipe: the server's stays as it was given.
    let path = "/proc/self/fd/\(pipe.fileHandleForReading.fileDescriptor)"
    // Safe: the C string lives for the call.
    let own = unsafe open(path, O_WRONLY | O_NONBLOCK)
    try #require(own >= 0)
    defer { close(own) }
    let block = [UInt8](repeating: 0x2E, count: 4096)
    // Safe: the kernel reads the block's bytes, for the call.
    while unsafe write(own, block, block.count) > 0 {}
    #expect(errno == EAGAIN)
    return (server, pipe)
  }

  /// The process's exit status; nil where it does not end within a minute.
  private func status(of server: ChildProcess) -> Int32? {
    let deadline = ContinuousClock.now + .seconds(60)
    while server.isRunning {
      if ContinuousClock.now >= deadline {
        server.signal(SIGKILL)
        return nil
      }
      _ = poll(nil, 0, 2)
    }
    return server.wait().status
  }

  @Test func aSignalStopsAServerWhoseMessagesAreNotRead() throws {
    let (server, pipe) = try serveIntoFullPipe()
    server.signal(SIGTERM)
    #expect(status(of: server) == 0)
    #expect(TestData.names(in: directory.path("data")).contains(".kafka_cleanshutdown"))
    withExtendedLifetime(pipe) {}
  }

  /// `2>&1 | head -1`.
  @Test func aServerWhoseMessagesReaderIsGoneStopsInOrder() throws {
    let (server, pipe) = try serveIntoFullPipe()
    try pipe.fileHandleForReading.close()
    server.signal(SIGTERM)
    #expect(status(of: server) == 0)
    #expect(TestData.names(in: directory.path("data")).contains(".kafka_cleanshutdown"))
  }

  @Test(arguments: ["2>&-", "2>/dev/full", "<&- >&- 2>&-"])
  func aServerWithoutStandardErrorRuns(_ redirection: String) throws {
    let data = directory.path("data")
    // Its address is told nowhere; that it runs shows in its lock.
    let outcome = try Tool.bash(
      """
      $MKSTORE serve --data \(data) --listen 127.0.0.1:0 \(redirection) & server=$!
      for ((i = 0; i < 3000; i++)); do
        ss=$(ls /proc/$server/fd -l 2>/dev/null | grep -c socket); [ "$ss" -gt 0 ] && break
        read -t 0.02 < <(:) || true
      done
      kill -TERM $server; wait $server; status=$?
      wc -c < \(data)/.lock; exit $status
      """)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.text.trimmingCharacters(in: .whitespacesAndNewlines) == "0")
    #expect(TestData.names(in: data).contains(".kafka_cleanshutdown"))
  }
}
