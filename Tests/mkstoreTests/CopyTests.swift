import Foundation
import Testing

@testable import mkstore

/// Copies that ordinary tools make of a log while it is appended to.
struct CopyTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// Starts a writer, waits until the log has rolled, runs `copying` (which makes `$C` of `$S`),
  /// and stops the writer once that is done.
  private func copyLive(_ copying: String) throws {
    let script = """
      cd '\(directory.path)' && S=source C=copy && mkdir $S $C && mkfifo lines wakeup || exit 9
      "$MKSTORE" append $S/t-0 --create --segment-bytes 20000 --batch-records 20 < lines &
      writer=$!
      n=0
      while [ ! -e done ]; do seq -f %020.0f $n $((n + 199)); n=$((n + 200)); done > lines &
      segments() { ls $S/t-0 2>/dev/null | grep -c '[.]log$'; }
      until [ "$(segments)" -ge 4 ]; do read -t 0.05 <> wakeup; done
      \(copying)
      touch done
      wait $writer
      """
    let outcome = try Tool.bash(script)
    #expect(outcome.status == 0, "\(outcome.messages)")
  }

  private func numbers(_ log: String) throws -> [Int] {
    let outcome = try Tool.run(["fetch", log, "--format", "%s\\n"])
    #expect(outcome.status == 0, "\(outcome.messages)")
    return outcome.lines.compactMap { Int($0) }
  }

  /// Copied in the order of their names, as rsync does it.
  static let inOrder = """
    mkdir $C/t-0; for f in $(ls -A $S/t-0); do cp -p $S/t-0/$f $C/t-0/$f; done
    cp -p $(find $S -maxdepth 1 -type f ! -name .lock) $C
    """

  /// The mark last, and first: what it says is of another moment than the segments.
  static let markFirst = """
    mkdir $C/t-0; for f in $(ls -Ar $S/t-0); do cp -p $S/t-0/$f $C/t-0/$f; done
    """

  @Test(arguments: [
    "cp -r $S/. $C", "cp -a $S/. $C", "tar -cf - -C $S . | tar -xf - -C $C", inOrder, markFirst,
  ])
  func aCopyOfALogThatRollsIsNoDamagedLog(_ copying: String) throws {
    try copyLive(copying)
    let log = directory.path("copy/t-0")
    let verified = try Tool.run(["verify", log])
    #expect(verified.status == 0, "\(verified.text) \(verified.messages)")
    let found = try numbers(log)
    #expect(found.count > 0 && found == Array(0..<found.count))
    #expect(try Tool.run(["recover", "--dry-run", log]).status == 0)
    let recovered = try Tool.run(["recover", log])
    #expect(recovered.status == 0, "\(recovered.text) \(recovered.messages)")
    #expect(try Tool.run(["verify", log]).status == 0)
    #expect(try numbers(log) == found)
    let appended = try Tool.run(["append", log], input: Data("\(found.count)\n".utf8))
    #expect(appended.status == 0, "\(appended.messages)")
    #expect(try numbers(log) == Array(0...found.count))
  }

  /// A segment that was copied before it was full, and the one after it whole.
  @Test func aShortSegmentBeforeAWholeOneIsDamageOfWhatIsMissing() throws {
    let (source, copy) = (directory.path("source/t-0"), directory.path("copy/t-0"))
    try Tool.bash("mkdir -p '\(directory.path("copy"))'")
    func append(_ range: Range<Int>) throws {
      let lines = range.map { "\($0)\n" }.joined()
      let outcome = try Tool.run(
        ["append", source, "--create", "--segment-bytes", "2000", "--batch-records", "10"],
        input: Data(lines.utf8))
      #expect(outcome.status == 0, "\(outcome.messages)")
    }
    try append(0..<40)
    try Tool.bash("cp -r '\(source)' '\(copy)'")
    try append(40..<400)
    let bases = TestData.names(in: source).filter { $0.hasSuffix(".log") }.compactMap {
      Int($0.dropLast(4))
    }
    try #require(bases.count > 2 && bases[1] > 40)
    try Tool.bash("cp -n '\(source)'/* '\(copy)'")
    let verified = try Tool.run(["verify", copy, "--json"])
    #expect(verified.status == 3)
    let damage = try verified.objects.filter { $0["type"] as? String == "damage" }
    #expect(damage.count == 1)
    #expect(damage.first?["firstOffset"] as? Int == 40, "\(verified.text)")
    #expect(damage.first?["endOffset"] as? Int == bases[1], "\(verified.text)")
    #expect(try Tool.run(["recover", copy]).status == 3)
    let fetched = try Tool.run(["fetch", copy, "--format", "%s\\n"])
    #expect(fetched.lines.compactMap { Int($0) } == Array(0..<40) + Array(bases[1]..<400))
  }
}
