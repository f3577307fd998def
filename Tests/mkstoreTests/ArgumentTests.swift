import LogStore
import Testing

@testable import mkstore

/// What stands on the command line.
struct ArgumentTests {
  @Test(arguments: [
    ("beginning", 10), ("end", 50), ("0", 0), ("20", 20), ("-5", 45), ("-0", 50), ("-100", 10),
    ("earliest", 10), ("latest", 50),
  ])
  func offsetsAreRead(_ text: String, _ offset: Int64) throws {
    let argument = try #require(OffsetArgument(argument: text))
    #expect(argument.offset(start: 10, end: 50) == offset)
  }

  @Test(arguments: ["", "x", "1.5", "9223372036854775808", "-9223372036854775808", "last"])
  func otherOffsetsAreRefused(_ text: String) {
    #expect(OffsetArgument(argument: text) == nil)
  }

  @Test(arguments: [
    ("0", 0), ("64", 64), ("64k", 65_536), ("1MiB", 1_048_576), ("2G", 2_147_483_648),
    ("3kb", 3072),
    ("5b", 5),
  ])
  func byteCountsAreRead(_ text: String, _ bytes: Int) {
    #expect(ByteCountArgument(argument: text)?.bytes == bytes)
  }

  @Test(arguments: ["", "k", "-1", "1.5M", "1x", "9999999999999G"])
  func otherByteCountsAreRefused(_ text: String) {
    #expect(ByteCountArgument(argument: text) == nil)
  }

  @Test(arguments: [
    (0, "0 bytes"), (9999, "9999 bytes"), (10_240, "10.0 KiB"), (1_048_576, "1.0 MiB"),
    (1_610_612_736, "1.5 GiB"),
  ])
  func sizesArePrinted(_ bytes: Int, _ text: String) {
    #expect(ByteCountArgument.text(bytes) == text)
  }

  @Test(arguments: [
    ("flushed", Durability.flushed), ("os", .operatingSystem),
    ("interval:50", .interval(milliseconds: 50)), ("interval:1s", .interval(milliseconds: 1000)),
  ])
  func durabilityIsRead(_ text: String, _ durability: Durability) {
    #expect(DurabilityArgument(argument: text)?.durability == durability)
  }

  @Test(arguments: ["", "interval", "interval:", "interval:0", "interval:2h", "always"])
  func otherDurabilityIsRefused(_ text: String) {
    #expect(DurabilityArgument(argument: text) == nil)
  }

  @Test(arguments: [
    ("data/orders-0", "data", "orders", 0), ("orders-7", ".", "orders", 7), ("/x-1", "/", "x", 1),
    ("a/b/my-topic-12/", "a/b", "my-topic", 12),
  ])
  func logsAreLocated(_ path: String, _ store: String, _ topic: String, _ partition: Int32) throws {
    let location = try LogLocation(path)
    #expect(location.store == store)
    #expect(location.topicPartition.topic == topic)
    #expect(location.topicPartition.partition == partition)
  }

  @Test(arguments: ["orders", "data/", "orders-", "orders-01", "or ders-0", "orders-x", ""])
  func otherPathsAreNoLogs(_ path: String) {
    #expect(throws: CommandFailure.self) { try LogLocation(path) }
    do {
      _ = try LogLocation(path)
    } catch {
      #expect(error.status == .usage)
      #expect(error.message?.contains("<topic>-<partition>") == true)
    }
  }

  @Test func progressTellsRateAndTimeLeft() {
    #expect(
      ProgressLine.text(done: 1 << 30, total: 2 << 30, count: nil, elapsedMs: 2000)
        == "[##########----------]  50 %  1.0 GiB of 2.0 GiB  512.0 MiB/s  0:02 left")
    #expect(
      ProgressLine.text(done: 1 << 20, total: nil, count: "5 records", elapsedMs: 1000)
        == "1.0 MiB  5 records  1.0 MiB/s")
  }

  @Test(arguments: [
    ("00000000000000000042.log", DumpKind.log(baseOffset: 42)),
    ("00000000000000000042.timeindex", .timeindex(baseOffset: 42)),
    ("00000000000000000042.log.deleted", .log(baseOffset: 42)), ("copy.log", .log(baseOffset: 0)),
    ("leader-epoch-checkpoint", .lines(type: "leaderEpochs")),
    ("recovery-point-offset-checkpoint", .lines(type: "offsetCheckpoint")),
    ("mkstore.mark", .mark),
  ])
  func filesAreKnownByName(_ name: String, _ kind: DumpKind) {
    #expect(DumpKind(fileName: name) == kind)
  }

  @Test func otherFilesAreNot() {
    #expect(DumpKind(fileName: "notes.txt") == nil)
  }

  @Test(
    arguments: [
      (0, 0, 0), (-1, 5, -1), (Int32.max, 0, Int32.max), (Int32.max, 1, 0), (Int32.max - 1, 3, 1),
    ] as [(Int32, Int32, Int32)])
  func sequencesWrapToZero(_ base: Int32, _ delta: Int32, _ sequence: Int32) {
    #expect(KafkaLayout.sequence(base, plus: delta) == sequence)
  }
}
