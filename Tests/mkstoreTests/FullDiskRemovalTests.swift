import Foundation
import Testing

/// `mkstore trim`, `mkstore truncate` and `mkstore topics` on a disk that is full: what was done
/// counts, durably, and the message says it; what was not done is said, too.
@Suite(.enabled(if: Mounting.isPossible, "needs root and mount(8)"))
struct FullDiskRemovalTests {
  private let directory: TemporaryDirectory

  /// Sixty records in twelve batches of five, over several segments.
  init() throws {
    directory = try TemporaryDirectory()
    let made = try Tool.run(
      [
        "append", directory.path("made/orders-0"), "--create", "--batch-records", "5",
        "--segment-bytes", "400",
      ], input: Data((0..<60).map { "v\($0)\n" }.joined().utf8))
    try #require(made.status == 0, "\(made.messages)")
  }

  /// Runs a command on a copy of the log on a disk with so many pages left.
  ///
  /// - Returns: What the command gave, and the values that are left once there is room again.
  private func run(_ command: [String], pagesLeft: Int) throws -> (Tool.Outcome, [String]) {
    var result: (Tool.Outcome, [String])?
    try Mounting.withSmallDisk(directory.path("disk"), bytes: 2 << 20) { disk in
      let log = "\(disk)/store/orders-0"
      try fill(disk, pagesLeft: pagesLeft)
      let outcome = try Tool.run([command[0], log] + command.dropFirst())
      try FileManager.default.removeItem(atPath: "\(disk)/filler")
      if outcome.status != 0 {
        // What the message says to do.
        #expect(outcome.status == 6, "\(outcome)")
        let recovered = try Tool.run(["recover", "\(disk)/store"])
        #expect(recovered.status == 0, "\(recovered)")
      }
      #expect(try Tool.run(["verify", "\(disk)/store"]).status == 0, "\(outcome)")
      result = (outcome, try Tool.run(["fetch", log, "--format", "%s\\n"]).lines)
    }
    return try #require(result)
  }

  /// A copy of the store, room for the pages, and as much else as the disk takes.
  private func fill(_ disk: String, pagesLeft: Int) throws {
    let filled = try Tool.bash(
      "set -e; cp -a \(directory.path("made")) \(disk)/store; cd \(disk); "
        + "if [ \(pagesLeft) != 0 ]; then "
        + "dd if=/dev/zero of=spare bs=4k count=\(pagesLeft) status=none; fi; "
        + "! dd if=/dev/zero of=filler bs=4k status=none 2>/dev/null; rm -f spare")
    try #require(filled.status == 0, "\(filled)")
  }

  @Test func changedSettingsAreToldAsChanged() throws {
    var (unfinished, isDone) = (0, false)
    for pages in 0..<100 where !isDone {
      try Mounting.withSmallDisk(directory.path("disk"), bytes: 2 << 20) { disk in
        try fill(disk, pagesLeft: pages)
        let store = "\(disk)/store"
        let outcome = try Tool.run(["topics", "alter", store, "orders", "--set", "retention.ms=5"])
        try FileManager.default.removeItem(atPath: "\(disk)/filler")
        let told = try Tool.run(["topics", "describe", store, "orders"]).text
        let isChanged = told.contains("retention.ms=5")
        isDone = outcome.status == 0
        if isDone { return #expect(isChanged) }
        #expect(outcome.status == 6, "\(outcome)")
        let counts = outcome.messages.contains("durably, and need not be repeated")
        #expect(counts == isChanged, "\(pages) pages: \(outcome)")
        unfinished += counts ? 1 : 0
      }
    }
    #expect(isDone && unfinished > 0, "no disk was full at the closing")
  }

  @Test(arguments: [
    (["trim", "--before-offset", "33"], 33..<60, "deleted offsets 0 to 32", "nothing was deleted"),
    (
      ["truncate", "--from-offset", "30"], 0..<30, "removed offsets 30 to 59", "nothing was removed"
    ),
  ])
  func theMessageSaysWhatWasDone(
    _ command: [String], _ left: Range<Int>, _ done: String, _ notDone: String
  ) throws {
    var unfinished = 0
    var refused = 0
    for pages in 0... {
      let (outcome, values) = try run(command, pagesLeft: pages)
      if outcome.status == 0 {
        #expect(values == left.map { "v\($0)" })
        break
      }
      let messages = outcome.messages
      #expect(messages.contains("disk full"), "\(messages)")
      let counts = messages.contains("durably, and need not be repeated")
      #expect(values == (counts ? left : 0..<60).map { "v\($0)" }, "\(pages) pages: \(outcome)")
      if counts {
        unfinished += 1
        #expect(messages.contains("Make room, then 'mkstore recover "), "\(messages)")
        // In whichever words: done by the command itself, or left to the next opening.
        let range = done.drop { !$0.isNumber }
        #expect(messages.contains(range), "\(messages)")
        #expect(outcome.lines.isEmpty || outcome.text.contains(done), "\(outcome.text)")
      } else {
        refused += 1
        let isOpening = !messages.contains("orders-0: nothing")
        #expect(isOpening || messages.contains(notDone), "\(messages)")
      }
      try #require(pages < 100, "it never has room enough")
    }
    #expect(unfinished > 0, "no disk was full at the closing; \(refused) before that")
  }
}
