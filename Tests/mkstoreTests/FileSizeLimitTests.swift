import Foundation
import Testing

/// `ulimit -f` is an error of the write, never a signal; what was acknowledged is told and there.
struct FileSizeLimitTests {
  private let directory: TemporaryDirectory
  private var log: String { directory.path("store/orders-0") }

  init() throws { directory = try TemporaryDirectory() }

  @Test(arguments: [1, 4, 16, 64])
  func anAppendBeyondTheLimitKeepsWhatWasAcknowledged(kib: Int) throws {
    let outcome = try Tool.bash(
      "ulimit -f \(kib); seq 20000 | $MKSTORE append \(log) --create --json --batch-bytes 1k "
        + "--segment-index-bytes 1k")
    #expect(outcome.status == 6, "\(outcome)")
    #expect(outcome.messages.contains("File too large"), "\(outcome.messages)")
    #expect(outcome.messages.contains("\(kib * 1024) bytes"), "\(outcome.messages)")
    #expect(outcome.messages.contains("ulimit -f"), "\(outcome.messages)")
    // With one KiB there may be no room for a batch, or none for the log itself.
    let records = try outcome.objects.last?["records"] as? Int ?? 0
    #expect(kib == 1 || records > 0)
    let again = try Tool.bash("seq 3 | $MKSTORE append \(log) --create")
    #expect(again.status == 0, "\(again)")
    let lines = try Tool.run(["fetch", log]).lines
    #expect(lines.count >= records + 3)
    #expect(lines.dropLast(3).elementsEqual((1...20000).prefix(lines.count - 3).map(String.init)))
    #expect(try Tool.run(["verify", log]).status == 0)
  }

  /// Output into a file, too.
  @Test func outputBeyondTheLimitIsSix() throws {
    _ = try Tool.bash("seq 20000 | $MKSTORE append \(log) --create")
    let out = directory.path("out")
    let outcome = try Tool.bash("ulimit -f 4; exec $MKSTORE fetch \(log) > \(out)")
    #expect(outcome.status == 6, "\(outcome)")
    #expect(outcome.messages.contains("standard output: File too large"), "\(outcome.messages)")
  }
}
