import LogStore
import Testing

/// Names of segment files and log directories.
struct FilesNameTests {
  @Test(arguments: SegmentName.Kind.allCases)
  func segmentNamesReadBackAsWritten(_ kind: SegmentName.Kind) {
    for stage in [nil] + SegmentName.Stage.allCases {
      for offset in [0, 42, 1_000_000, Int64.max] {
        let name = SegmentName(offset, kind, stage: stage)
        #expect(SegmentName(name.fileName) == name)
      }
    }
  }

  @Test func segmentNamesAreKafkas() {
    #expect(SegmentName(0, .log).fileName == "00000000000000000000.log")
    #expect(SegmentName(42, .timeindex).fileName == "00000000000000000042.timeindex")
    #expect(SegmentName(720, .log, stage: .swap).fileName == "00000000000000000720.log.swap")
    #expect(SegmentName(Int64.max, .index).fileName == "09223372036854775807.index")
  }

  @Test(arguments: [
    "", ".log", "0.log", "0000000000000000000.log", "000000000000000000000.log",
    "0000000000000000000a.log", "+0000000000000000001.log", "-0000000000000000001.log",
    "09223372036854775808.log", "99999999999999999999.log", "00000000000000000000",
    "00000000000000000000.", "00000000000000000000.LOG", "00000000000000000000.logx",
    "00000000000000000000.log.", "00000000000000000000.log.tmp", "00000000000000000000.log.swap.x",
    "00000000000000000000..log", " 00000000000000000000.log", "0000000000000000000٣.log",
  ])
  func otherFileNamesAreNoSegmentNames(_ name: String) {
    #expect(SegmentName(name) == nil)
  }

  @Test(arguments: [
    ("orders-0", "orders", 0), ("a-b-c-12", "a-b-c", 12),
    ("__consumer_offsets-49", "__consumer_offsets", 49),
    ("a.b_c-2147483647", "a.b_c", Int32.max), ("--1", "-", 1), ("0-0", "0", 0), ("...-3", "...", 3),
  ])
  func logDirectoriesReadBackAsWritten(_ name: String, _ topic: String, _ partition: Int32) throws {
    let found = try TopicPartition(directoryName: name)
    #expect(found.topic == topic)
    #expect(found.partition == partition)
    #expect("\(found)" == name)
    #expect(LogDirectoryName(name) == .log(found))
  }

  @Test(arguments: [
    ("orders", TopicPartitionError.noPartition("orders")), ("orders-", .partition("")),
    ("orders-x", .partition("x")), ("orders-00", .partition("00")), ("orders-+1", .partition("+1")),
    ("orders-2147483648", .partition("2147483648")), ("-0", .topicEmpty),
    (".-0", .topicReserved(".")), ("..-0", .topicReserved("..")),
    ("a b-0", .topicCharacter("a b", " ")), ("a/b-0", .topicCharacter("a/b", "/")),
    ("é-0", .topicCharacter("é", "é")), ("a\u{301}-0", .topicCharacter("a\u{301}", "a\u{301}")),
  ])
  func otherDirectoryNamesSayWhatIsWrong(_ name: String, _ error: TopicPartitionError) {
    #expect(throws: error) { try TopicPartition(directoryName: name) }
    #expect(LogDirectoryName(name) == .other)
    #expect(!error.description.isEmpty)
  }

  @Test func topicNamesEndAt249Characters() throws {
    _ = try TopicPartition(topic: String(repeating: "a", count: 248), partition: 0)
    _ = try TopicPartition(topic: String(repeating: "a", count: 249), partition: 0)
    let long = String(repeating: "a", count: 250)
    #expect(throws: TopicPartitionError.topicTooLong(long, bytes: 250, limit: 249)) {
      try TopicPartition(topic: long, partition: 0)
    }
    #expect(throws: TopicPartitionError.partition("-1")) {
      try TopicPartition(topic: "a", partition: -1)
    }
  }

  @Test func topicsCollideWhenOnlyDotsAndUnderscoresDiffer() throws {
    let name = { try TopicPartition(topic: $0, partition: 0) }
    #expect(try name("a.b").collides(withTopic: "a_b"))
    #expect(try name("a_b.c").collides(withTopic: "a.b_c"))
    #expect(try !name("a.b").collides(withTopic: "a.b"))
    #expect(try !name("a.b").collides(withTopic: "a-b"))
    #expect(try !name("a.b").collides(withTopic: "ab"))
  }

  @Test func directoriesThatKafkaMarkedAreToldApart() {
    let hex = "0123456789abcdef0123456789ABCDEF"
    #expect(LogDirectoryName("a-b-3.\(hex)-delete") == .deleted(topic: "a-b", partition: 3))
    #expect(LogDirectoryName("t.x-0.\(hex)-future") == .future(topic: "t.x", partition: 0))
    #expect(LogDirectoryName("t-0.\(hex)-stray") == .stray(topic: "t", partition: 0))
    #expect(LogDirectoryName("t-0.\(hex.dropLast())-delete") == .other)
    #expect(LogDirectoryName("t-0\(hex)-delete") == .other)
    #expect(LogDirectoryName("t-x.\(hex)-delete") == .other)
    #expect(LogDirectoryName(".\(hex)-delete") == .other)
    #expect(LogDirectoryName("lost+found") == .other)
  }
}
