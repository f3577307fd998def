import Foundation
import MkstoreProcessTesting
import Testing

@testable import mkstore

/// Exit statuses and messages: what, where, and what to do.
struct ExitStatusTests {
  private let directory: TemporaryDirectory
  private var log: String { directory.path("store/orders-0") }

  init() throws { directory = try TemporaryDirectory() }

  private func appendLines(_ text: String = "a\nb\n") throws {
    let outcome = try Tool.run(["append", log, "--create"], input: Data(text.utf8))
    #expect(outcome.status == 0, "\(outcome.messages)")
  }

  // MARK: Usage

  @Test(arguments: [
    [], ["fly"], ["fetch"], ["fetch", "a-0", "--nope"], ["fetch", "a-0", "--output", "xml"],
    ["fetch", "a-0", "--offset", "x"], ["fetch", "a-0", "--from", "yesterday"],
    ["fetch", "a-0", "--offset", "1", "--from", "now"], ["fetch", "a-0", "--format", "%z"],
    ["fetch", "a-0", "--follow", "--exit-at-end"], ["fetch", "a-0", "--json", "--output", "raw"],
    ["fetch", "a-0", "--max-records", "0"], ["fetch", "orders"], ["append"],
    ["append", "a-0", "--compression", "brotli"], ["append", "a-0", "--compression", "zstd:20"],
    ["append", "a-0", "--durability", "never"], ["append", "a-0", "--input", "csv"],
    ["append", "a-0", "--key-delimiter", ""], ["append", "a-0", "--batch-records", "0"],
    ["append", "a-0", "--create", "--segment-bytes", "5"], ["verify"],
    ["verify", "x", "--deep", "--quick"], ["dump"], ["dump", "x", "--format", "csv"], ["info"],
    ["recover"],
  ])
  func wrongUsageIsTwo(_ arguments: [String]) throws {
    let outcome = try Tool.run(arguments, directory: directory.path)
    // Without arguments the help is printed, which is what was meant.
    #expect(outcome.status == (arguments.isEmpty ? 0 : 2), "\(outcome.messages)")
    #expect(arguments.isEmpty == outcome.messages.isEmpty)
    #expect(arguments.isEmpty != outcome.output.isEmpty)
    #expect(TestData.names(in: directory.path).isEmpty, "nothing was made")
  }

  @Test(arguments: ["append", "fetch", "verify", "info", "dump", "recover"])
  func helpIsData(_ command: String) throws {
    let outcome = try Tool.run([command, "--help"])
    #expect(outcome.status == 0)
    #expect(outcome.text.contains("USAGE: mkstore \(command)"))
    #expect(outcome.text.contains("--json"))
    #expect(outcome.messages.isEmpty)
  }

  @Test func helpListsEveryExitStatus() throws {
    let help = try Tool.run(["--help"]).text.split(whereSeparator: \.isWhitespace)
      .joined(separator: " ")
    for text in [
      "0 done", "1 failure", "2 wrong usage", "3 damage", "5 the store is locked", "6 disk full",
    ] {
      #expect(help.contains(text), "\(text)")
    }
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func completionsAreMade(_ shell: String) throws {
    let outcome = try Tool.run(["--generate-completion-script", shell])
    #expect(outcome.status == 0)
    #expect(outcome.text.contains("mkstore"))
    #expect(outcome.text.contains("max-records"))
  }

  // MARK: Failure

  @Test(arguments: [
    (["fetch", "missing-0"], "does not exist"), (["append", "missing-0"], "use --create"),
    (["verify", "missing"], "missing"), (["info", "missing"], "does not exist"),
    (["dump", "missing.log"], "does not exist"), (["recover", "missing"], "does not exist"),
    (["fetch", "file-0"], "is a file"), (["append", "file-0", "--create"], "not a directory"),
    (["verify", "empty"], "no log found"), (["info", "empty"], "neither a log nor a store"),
    (["dump", "empty"], "not a file"), (["dump", "file-0"], "unknown kind"),
    (["append", "store/new-0", "--create", "missing.txt"], "missing.txt: No such file"),
  ])
  func whatCannotBeDoneIsOne(_ arguments: [String], _ text: String) throws {
    _ = try directory.file("file-0", Array("x".utf8))
    try FileManager.default.createDirectory(
      atPath: directory.path("empty"), withIntermediateDirectories: true)
    let outcome = try Tool.run(arguments, directory: directory.path)
    #expect(outcome.status == 1, "\(outcome.messages)")
    #expect(outcome.messages.contains(text), "\(outcome.messages)")
    #expect(outcome.messages.hasPrefix("mkstore: "))
    #expect(outcome.messages.split(separator: "\n").count == 1)
  }

  /// P22: a slip would write into a directory that is something else.
  @Test func aDirectoryOfOtherThingsBecomesNoStore() throws {
    let file = try directory.file("orders.txt", Array("x\n".utf8))
    let outcome = try Tool.run(["append", directory.path("orders-0"), "--create", file])
    #expect(outcome.status == 2, "\(outcome.messages)")
    #expect(outcome.messages.contains("is not a store"), "\(outcome.messages)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["orders.txt"])
    // One that holds a store takes another log.
    #expect(try Tool.run(["append", log, "--create", file]).status == 0)
    let other = directory.path("store/other-0")
    #expect(try Tool.run(["append", other, "--create", file]).status == 0)
  }

  @Test func aLineThatCannotBeReadKeepsTheOnesBeforeIt() throws {
    let file = try directory.file(
      "in.ndjson", Array("{\"value\":1}\n{\"value\":2}\n{\"value\"}\n".utf8))
    let outcome = try Tool.run([
      "append", log, "--create", "--input", "ndjson", "--json", file,
    ])
    #expect(outcome.status == 1)
    #expect(outcome.messages.contains("\(file):3:9: "), "\(outcome.messages)")
    #expect(outcome.messages.contains("':'"))
    #expect(try outcome.objects.last?["records"] as? Int == 2)
    #expect(try Tool.run(["fetch", log]).text == "1\n2\n")
  }

  @Test func binaryThatEndsTooSoonKeepsWhatCameBefore() throws {
    let whole: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 1, 0x61]
    let outcome = try Tool.run(
      ["append", log, "--create", "--input", "binary"], input: Data(whole + whole.dropLast()))
    #expect(outcome.status == 1)
    #expect(outcome.messages.contains("record 2 at byte 9 is cut off after 8 bytes"))
    #expect(outcome.text.contains("appended 1 records"))
    let wrong = try Tool.run(
      ["append", log, "--input", "binary"], input: Data([0xFF, 0, 0, 0, 0, 0, 0, 0]))
    #expect(wrong.status == 1)
    #expect(wrong.messages.contains("length of -16777216"))
  }

  @Test func recordsAtTheLimitFitAndLargerOnesDoNot() throws {
    // A batch of one record: 61 bytes of header; 2 of length, 1 attributes, 1 + 1 deltas, 1 null
    // key, 2 of the value's length, the value, 1 of headers.
    let most = 1000 - 61 - 9
    for (count, status) in [(most - 1, 0), (most, 0), (most + 1, 1)] as [(Int, Int32)] {
      let line = String(repeating: "x", count: count)
      let outcome = try Tool.run(
        ["append", log, "--create", "--max-message-bytes", "1000"],
        input: Data("first\n\(line)\n".utf8))
      #expect(outcome.status == status, "\(count): \(outcome.messages)")
      if status == 1 {
        #expect(outcome.messages.contains("standard input:2: "))
        #expect(outcome.messages.contains("raise --max-message-bytes"))
        #expect(outcome.text.contains("appended 1 records"))
      }
    }
  }

  @Test func incompressibleBytesFitTheLimitToo() throws {
    var bytes: [UInt8] = []
    var state: UInt32 = 1
    for _ in 0..<200_000 {
      state = state &* 1_664_525 &+ 1_013_904_223
      bytes.append(UInt8(truncatingIfNeeded: state >> 24) | 0x80)
      if bytes.count % 100 == 0 { bytes.append(0x0A) }
    }
    let outcome = try Tool.run(
      ["append", log, "--create", "--compression", "zstd", "--max-message-bytes", "4096"],
      input: Data(bytes))
    #expect(outcome.status == 0, "\(outcome.messages)")
    #expect(try Tool.run(["verify", log]).status == 0)
  }

  // MARK: Damage

  @Test func damageIsThreeAndTheRestIsServed() throws {
    try appendLines((0..<1000).map { "line \($0)\n" }.joined())
    let file = log + "/00000000000000000000.log"
    _ = try Tool.run(
      ["append", log, "--batch-records", "100"], input: Data(repeating: 0x0A, count: 300))
    var bytes = try TestData.content(file)
    let size = bytes.count
    bytes[size - 200] ^= 1
    try bytes.write(to: URL(filePath: file))
    let fetched = try Tool.run(["fetch", log, "--json"])
    #expect(fetched.status == 3)
    #expect(try fetched.objects.count { $0["type"] as? String == "damage" } == 1)
    #expect(try fetched.objects.count { $0["type"] as? String == "record" } == 1200)
    #expect(fetched.messages.contains("damaged: \(file) at position"))
    let verified = try Tool.run(["verify", log, "--json"])
    #expect(verified.status == 3)
    #expect(try verified.objects.last?["ok"] as? Bool == false)
    #expect(try Tool.run(["verify", log, "--quick"]).status == 3)
    #expect(try Tool.run(["dump", file]).status == 3)
    let recovered = try Tool.run(["recover", directory.path("store"), "--json"])
    #expect(recovered.status == 3 || recovered.status == 0)
    _ = try recovered.objects
  }

  /// A batch's rotten length and offset hide none of the batches behind it.
  @Test(arguments: [0, 8])
  func dumpShowsWhatARottenBatchLeadsPast(_ field: Int) throws {
    for value in ["a", "b", "c"] { try appendLines(value + "\n") }
    let file = log + "/00000000000000000000.log"
    var bytes = try TestData.content(file)
    let batch = bytes.count / 3
    // As if it held the second batch too; or, its CRC wrong besides, as if it came behind the last.
    if field == 8 {
      bytes[11] = UInt8(2 * batch - 12)
    } else {
      bytes[7] = 9
      bytes[batch - 1] ^= 1
    }
    try bytes.write(to: URL(filePath: file))
    let dumped = try Tool.run(["dump", file, "--format", "json"])
    #expect(dumped.status == 3)
    let positions = try dumped.objects.compactMap { $0["position"] as? Int }
    #expect(positions == [0, batch, 2 * batch], "\(dumped.text)")
  }

  // MARK: Locked

  /// P33.
  @Test func aSecondWriterIsFive() throws {
    try appendLines()
    let files = try TemporaryDirectory()
    let writer = try Running(
      ["append", log, "--acks", "--linger", "0"], files: files, input: nil)
    try writer.input?.write(contentsOf: Data("c\n".utf8))
    #expect(try writer.waitForLines(1))
    let pid = writer.process.id
    for arguments in [["append", log], ["recover", directory.path("store")]] {
      let second = try Tool.run(arguments)
      #expect(second.status == 5)
      #expect(second.messages.contains("process \(pid)"), "\(second.messages)")
    }
    // Readers need no lock, and see what was acknowledged.
    #expect(try Tool.run(["fetch", log]).text == "a\nb\nc\n")
    #expect(try Tool.run(["verify", log]).status == 0)
    #expect(try Tool.run(["info", log]).status == 0)
    #expect(try Tool.run(["recover", directory.path("store"), "--dry-run"]).status == 0)
    try writer.input?.close()
    #expect(try writer.outcome().status == 0)
  }

  // MARK: Disk full

  @Test(arguments: ["fetch", "info", "verify"])
  func aFullOutputIsSix(_ command: String) throws {
    try appendLines()
    let outcome = try Tool.bash("$MKSTORE \(command) \(log) > /dev/full")
    #expect(outcome.status == 6)
    #expect(outcome.messages.contains("standard output: No space left"))
  }

  @Test(.enabled(if: Mounting.isPossible, "needs root and mount(8)"))
  func aFullDiskIsSixAndKeepsWhatWasAcknowledged() throws {
    try Mounting.withSmallDisk(directory.path("disk"), bytes: 4 << 20) { disk in
      let log = disk + "/store/orders-0"
      let outcome = try Tool.bash(
        "yes 0123456789abcdef | head -c 16000000 | $MKSTORE append \(log) --create --json "
          + "--segment-index-bytes 64k --batch-bytes 64k")
      #expect(outcome.status == 6, "\(outcome.messages)")
      #expect(outcome.messages.contains("free"), "\(outcome.messages)")
      let records = try #require(try outcome.objects.last?["records"] as? Int)
      #expect(records > 10_000)
      let fetched = try Tool.run(["fetch", log])
      #expect(fetched.lines.count >= records)
      #expect(fetched.lines.allSatisfy { $0 == "0123456789abcdef" })
      #expect(try Tool.run(["verify", log]).status == 0)
    }
  }

  // MARK: Pipes

  @Test(arguments: [
    "fetch LOG", "fetch LOG --json", "fetch LOG --follow", "dump --deep LOG/*.log",
    "dump --json --deep LOG/*.log", "dump --format kafka --deep LOG/*.log",
  ])
  func aReaderThatGoesAwayIsNoError(_ command: String) throws {
    try appendLines((0..<200_000).map { "line \($0)\n" }.joined())
    let line = command.replacingOccurrences(of: "LOG", with: log)
    let outcome = try Tool.bash("$MKSTORE \(line) | head -1; exit ${PIPESTATUS[0]}")
    #expect(outcome.status == 0)
    #expect(outcome.lines.count == 1)
    #expect(outcome.messages.isEmpty, "\(outcome.messages)")
  }

  @Test(arguments: [
    ("flushed", "mode       flushed: an acknowledgement means durable"),
    ("os", "mode       os: an acknowledged record may be lost in a power cut"),
  ])
  func infoTellsTheDurabilityModeOfAClosedLog(_ mode: String, _ line: String) throws {
    let appended = try Tool.bash("echo a | $MKSTORE append \(log) --create --durability \(mode)")
    #expect(appended.status == 0)
    #expect(try Tool.run(["info", log]).lines.contains(line))
  }

  @Test func appendingGoesOnWithoutAReaderOfItsAcknowledgements() throws {
    let outcome = try Tool.bash(
      "seq 200000 | $MKSTORE append \(log) --create --acks --batch-records 100 | head -1; "
        + "exit ${PIPESTATUS[1]}")
    #expect(outcome.status == 0)
    #expect(outcome.lines.count == 1)
    #expect(
      outcome.messages.contains("the reader of the acknowledgements is gone"), "\(outcome.messages)"
    )
    let info = try Tool.bash("$MKSTORE fetch \(log) | tail -n 1")
    #expect(info.lines == ["200000"])
  }
}
