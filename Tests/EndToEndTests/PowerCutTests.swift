import Foundation
import Glibc
import StoreTesting
import Testing

/// A real power cut under load: the binary appends to a real ext4, the power of that disk is cut,
/// and after mounting it again everything acknowledged is there (POWER_CUTS times, 5 unless said).
@Suite(
  .serialized,
  .enabled(
    if: LoopDisk.obstacle == nil,
    "no real power cuts here: \(LoopDisk.obstacle ?? "")"))
struct PowerCutTests {
  private static let cuts =
    ProcessInfo.processInfo.environment["POWER_CUTS"].flatMap { Int($0) } ?? 5

  @Test func acknowledgedRecordsSurviveAPowerCut() throws {
    let seed = Seed.fromEnvironment()
    var random = SeededGenerator(seed: seed.value)
    let disk = try LoopDisk()
    let log = disk.mountPoint + "/data/cut-0"
    let records = NumberedRecords(seed: seed.value)
    let inputs = try Workspace()
    var end: Int64 = 0
    for cut in 0..<Self.cuts {
      try records.write(end..<end + 20_000, to: inputs("input"))
      let acks = try appendUntilCut(
        disk, log, from: end, input: inputs("input"), durability: "flushed",
        acksBeforeCut: .random(in: 1...200, using: &random))
      try disk.remount()
      let found = try records.check(log, from: end)
      try #require(
        found >= acks.endOffset,
        "\(seed): cut \(cut): acknowledged to \(acks.endOffset), found \(found)")
      // Recovery mends and goes on; what it found stays.
      let reopened = try Command.run("mkstore", ["append", log])
      try #require(reopened.status == 0, "\(seed): \(reopened.messages)")
      #expect(try records.check(log, from: 0) == found, "\(seed)")
      let verified = try Command.run("mkstore", ["verify", disk.mountPoint + "/data"])
      #expect(verified.status == 0, "\(seed): \(verified.output)\(verified.messages)")
      end = found
    }
    try disk.unmount()
    print("power cut \(Self.cuts) times: \(end) records, none acknowledged lost")
  }

  /// The weaker modes may lose what was not synced, but what is left is a beginning of what was
  /// sent.
  @Test(arguments: ["interval:20", "os"])
  func weakerModesLeaveABeginning(durability: String) throws {
    let seed = Seed.fromEnvironment()
    let disk = try LoopDisk()
    let log = disk.mountPoint + "/data/cut-0"
    let records = NumberedRecords(seed: seed.value)
    let inputs = try Workspace()
    try records.write(0..<200_000, to: inputs("input"))
    let acks = try appendUntilCut(
      disk, log, from: 0, input: inputs("input"), durability: durability, acksBeforeCut: 300)
    try disk.remount()
    let info = try Command.run("mkstore", ["info", log])
    if info.status == 0 {
      let found = try records.check(log, from: 0)
      let reopened = try Command.run("mkstore", ["append", log])
      #expect(reopened.status == 0, "\(seed): \(reopened.messages)")
      #expect(try records.check(log, from: 0) == found, "\(seed)")
      print("\(durability): \(acks.endOffset) acknowledged, \(found) found after the power cut")
    }
    try disk.unmount()
  }

  /// Appends, cuts the power once so many acknowledgements came, and reads those still on the way.
  private func appendUntilCut(
    _ disk: LoopDisk, _ log: String, from end: Int64, input: String, durability: String,
    acksBeforeCut: Int
  ) throws -> Acknowledged {
    let command = try Command(
      "mkstore",
      [
        "append", log, "--create", "--acks", "--json", "--batch-records", "20",
        "--segment-bytes", "400000", "--segment-index-bytes", "65536",
        "--durability", durability,
      ], input: input)
    var acks = Acknowledged(from: end)
    let isDurable = durability == "flushed"
    while acks.lineCount < acksBeforeCut, let line = command.nextLine() {
      try acks.note(line, isDurable: isDurable)
    }
    try disk.cutPower()
    // The process meets errors now; it may also wait for a disk that answers no more.
    if !isDurable { command.signal(SIGKILL) }
    while let line = command.nextLine() { try acks.note(line, isDurable: isDurable) }
    let outcome = command.finish()
    try #require(
      outcome.status != 0 || acks.endOffset == end + 20_000,
      "a disk without power took everything: \(outcome.output)")
    return acks
  }
}
