import Foundation
import Glibc
import StoreTesting
import Testing

/// The real binary on a real disk, killed at random moments (KILLS times, 50 unless said): whatever
/// it acknowledged is there, in order, and nothing that was never sent.
@Suite(.serialized) struct KillLoopTests {
  private static let kills =
    ProcessInfo.processInfo.environment["KILLS"].flatMap { Int($0) } ?? 50

  /// One life of the appending process.
  private struct Life {
    var durability: String
    var batchRecords: Int
    var compression: String
    var acksBeforeKill: Int
    var acksBeforeStop: Int?
    var spinMicroseconds: UInt64

    init(_ random: inout SeededGenerator) {
      durability =
        ["flushed", "flushed", "flushed", "interval:5", "os"].randomElement(using: &random)
        ?? "flushed"
      batchRecords = .random(in: 1...40, using: &random)
      compression = Bool.random(using: &random) ? "zstd" : "none"
      acksBeforeKill = .random(in: 0...60, using: &random)
      acksBeforeStop = Int.random(in: 0..<5, using: &random) == 0 ? acksBeforeKill / 2 : nil
      spinMicroseconds = .random(in: 0...20_000, using: &random)
    }

    func arguments(_ log: String) -> [String] {
      [
        "append", log, "--create", "--acks", "--json", "--segment-bytes", "60000",
        "--index-interval-bytes", "300", "--segment-index-bytes", "4096",
        "--batch-records", "\(batchRecords)", "--compression", compression,
        "--durability", durability,
      ]
    }
  }

  @Test func killedAppendsLoseNothingAcknowledged() throws {
    let seed = Seed.fromEnvironment()
    var random = SeededGenerator(seed: seed.value)
    let workspace = try Workspace()
    let log = workspace("data/killed-0")
    let records = NumberedRecords(seed: seed.value)
    var end: Int64 = 0
    var acknowledged = 0
    for round in 0..<Self.kills {
      let life = Life(&random)
      try records.write(end..<end + 6_000, to: workspace("input"))
      let acks = try live(life, log, from: end, input: workspace("input"))
      acknowledged += acks.lineCount
      let found = try records.check(log, from: end)
      try #require(
        found >= acks.endOffset,
        "\(seed): round \(round), \(life): acknowledged to \(acks.endOffset), found \(found)")
      try #require(found <= end + 6_000, "\(seed): records that were never sent")
      end = found
    }
    // Enough must have happened for this to mean something.
    #expect(acknowledged > Self.kills * 5, "\(acknowledged) acknowledgements")
    let last = try Command.run("mkstore", ["append", log], input: nil)
    #expect(last.status == 0, "\(last.messages)")
    #expect(try records.check(log, from: 0) == end, "\(seed)")
    let verified = try Command.run("mkstore", ["verify", workspace("data")])
    #expect(verified.status == 0, "\(verified.output)\(verified.messages)")
    print("killed \(Self.kills) times: \(acknowledged) acknowledgements, \(end) records, none lost")
  }

  /// Appends until the time to die has come.
  private func live(
    _ life: Life, _ log: String, from end: Int64, input: String
  ) throws -> Acknowledged {
    let command = try Command("mkstore", life.arguments(log), input: input)
    var acks = Acknowledged(from: end)
    let isDurable = life.durability == "flushed"
    while acks.lineCount < life.acksBeforeKill, let line = command.nextLine() {
      try acks.note(line, isDurable: isDurable)
      if acks.lineCount == life.acksBeforeStop {
        command.signal(SIGSTOP)
        spin(microseconds: life.spinMicroseconds)
        command.signal(SIGCONT)
      }
    }
    spin(microseconds: life.spinMicroseconds)
    command.signal(SIGKILL)
    while let line = command.nextLine() { try acks.note(line, isDurable: isDurable) }
    let outcome = command.finish()
    try #require([-SIGKILL, 0].contains(outcome.status), "\(outcome.messages)")
    return acks
  }

  /// P32: timers that were due while the process was stopped do no harm.
  @Test(arguments: ["flushed", "interval:50", "os"])
  func processStoppedForSecondsLosesNothing(durability: String) throws {
    let workspace = try Workspace()
    let log = workspace("data/stopped-0")
    let records = NumberedRecords(seed: 7)
    try records.write(0..<3_000, to: workspace("input"))
    let command = try Command(
      "mkstore",
      [
        "append", log, "--create", "--acks", "--json", "--batch-records", "10",
        "--segment-bytes", "60000", "--durability", durability,
      ], input: workspace("input"))
    var acks = Acknowledged(from: 0)
    while acks.lineCount < 5, let line = command.nextLine() {
      try acks.note(line, isDurable: durability == "flushed")
    }
    command.signal(SIGSTOP)
    spin(microseconds: 1_500_000)
    command.signal(SIGCONT)
    while let line = command.nextLine() {
      try acks.note(line, isDurable: durability == "flushed")
    }
    #expect(command.finish().status == 0)
    #expect(acks.endOffset == 3_000)
    #expect(try records.check(log, from: 0) == 3_000)
  }

  private func spin(microseconds: UInt64) {
    let end = DispatchTime.now().uptimeNanoseconds + microseconds * 1_000
    while DispatchTime.now().uptimeNanoseconds < end { sched_yield() }
  }
}
