import DiskIO
import LogStore
import StoreTesting
import Testing

/// Text checkpoints: what Kafka wrote is read, what its reader refuses is refused.
struct FilesCheckpointTests {
  private let directory = SharedVectors.kafka("broker-dir")

  @Test func offsetCheckpointsOfABrokerAreRead() throws {
    let disk = PosixDisk()
    let points = try #require(
      try OffsetCheckpoint.read(disk, directory: directory, .recoveryPoint))
    #expect(points.offsets.count == 21)
    #expect(try points.offsets[TopicPartition(topic: "compacted", partition: 0)] == 1500)
    #expect(try points.offsets[TopicPartition(topic: "__consumer_offsets", partition: 0)] == 14)
    let starts = try #require(try OffsetCheckpoint.read(disk, directory: directory, .logStart))
    #expect(try starts.offsets == [TopicPartition(topic: "start-offset", partition: 0): 450])
    #expect(try OffsetCheckpoint.read(disk, directory: directory + "/none", .cleaner) == nil)
  }

  @Test func offsetCheckpointsAreWrittenAsKafkaReadsThem() throws {
    let checkpoint = try OffsetCheckpoint([
      TopicPartition(topic: "b", partition: 10): 7, TopicPartition(topic: "b", partition: 9): 0,
      TopicPartition(topic: "a", partition: 0): Int64.max,
    ])
    #expect(text(checkpoint.encoded) == "0\n3\na 0 9223372036854775807\nb 9 0\nb 10 7\n")
    #expect(try OffsetCheckpoint(checkpoint.encoded, path: "x") == checkpoint)
    #expect(text(OffsetCheckpoint().encoded) == "0\n0\n")
  }

  @Test(arguments: [
    ("\n", 1), ("1\n0\n", 1), ("0", 1), ("0\n", 1), ("0\n-1\n", 2), ("0\nx\n", 2),
    ("0\n1\n", 2), ("0\n0\na 0 1\n", 2), ("0\n2\na 0 1\n", 2), ("0\n1\na 0 1\n\n", 4),
    ("0\n1\n a 0 1\n", 3), ("0\n1\na 0\n", 3), ("0\n1\na 0 1 2\n", 3), ("0\n1\na x 1\n", 3),
    ("0\n1\na 0 1.5\n", 3), ("0\n1\na 0 -1\n", 3), ("0\n1\na -1 1\n", 3), ("0\n1\na/b 0 1\n", 3),
    ("0\n1\na 0 9223372036854775808\n", 3), (" 0\n0\n", 1),
  ])
  func aWrongOffsetCheckpointIsUnreadableAsAWhole(_ content: String, _ line: Int) {
    let error = #expect(throws: CheckpointError.self) {
      try OffsetCheckpoint(Array(content.utf8), path: "file")
    }
    guard case .unreadable("file", let found?, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(found == line)
  }

  @Test func checkpointsAreReadAsJavaSplitsLines() throws {
    let topic = try TopicPartition(topic: "a", partition: 0)
    for content in ["0\n1\na 0 5", "0\r\n1\r\na 0 5\r\n", "0\r1\ra 0 5\r", "0\n1\na\t0  5 \n"] {
      #expect(try OffsetCheckpoint(Array(content.utf8), path: "x").offsets == [topic: 5])
    }
    #expect(try OffsetCheckpoint([], path: "x").offsets.isEmpty)
    let twice = "0\n2\na 0 5\na 0 6\n"
    #expect(try OffsetCheckpoint(Array(twice.utf8), path: "x").offsets == [topic: 6])
    #expect(throws: CheckpointError.self) { try OffsetCheckpoint([0x30, 0x0A, 0xFF], path: "x") }
  }

  @Test func leaderEpochsOfABrokerAreRead() throws {
    let log = SharedVectors.kafka("start-offset") + "/start-offset-0"
    let epochs = try #require(try LeaderEpochCheckpoint.read(PosixDisk(), directory: log))
    #expect(
      epochs.entries == [.init(epoch: 0, startOffset: 450), .init(epoch: 4, startOffset: 900)])
    #expect(epochs.epoch(at: 449) == nil)
    #expect(epochs.epoch(at: 450) == 0)
    #expect(epochs.epoch(at: 899) == 0)
    #expect(epochs.epoch(at: 900) == 4)
    #expect(text(epochs.encoded) == "0\n2\n0 450\n4 900\n")
  }

  @Test(arguments: [
    "0\n1\n0\n", "0\n1\n-1 0\n", "0\n2\n1 5\n1 6\n", "0\n2\n1 5\n2 5\n", "0\n1\n0 -1\n",
  ])
  func leaderEpochsThatDoNotRiseAreUnreadable(_ content: String) {
    #expect(throws: CheckpointError.self) {
      try LeaderEpochCheckpoint(Array(content.utf8), path: "x")
    }
  }

  @Test func partitionMetadataOfABrokerReadsBackByteForByte() throws {
    let log = SharedVectors.logdir + "/clean/seg-0"
    let found = try #require(try PartitionMetadata.read(PosixDisk(), directory: log))
    #expect(found.topicId.description == "7YaUOsTjSHSjHxVoCxw6Ig")
    #expect(try found.encoded == SharedVectors.bytes(log + "/partition.metadata"))
  }

  @Test(arguments: [
    "", "version: 1\ntopic_id: 7YaUOsTjSHSjHxVoCxw6Ig", "version: 0\n", "topic_id: x",
    "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA", "version: 0\ntopic_id: 7YaUOsTjSHSjHxVoCxw6I",
    "version: 0\ntopic_id: 7YaUOsTjSHSjHxVoCxw6Ig\nmore",
    "version: 0\ntopic_id: 7YaUOsTjSHSjHxVoCxw6I=",
  ])
  func wrongPartitionMetadataIsRefused(_ content: String) {
    #expect(throws: CheckpointError.self) {
      try PartitionMetadata(Array(content.utf8), path: "x")
    }
  }

  @Test func aFileBeyondTheLimitIsNotRead() throws {
    let disk = SimulatedDisk()
    try disk.install("/d/a", [UInt8](repeating: 0x30, count: 100))
    #expect(try SmallFile.read(disk, "/d/a", limit: 100)?.count == 100)
    #expect(throws: CheckpointError.self) { try SmallFile.read(disk, "/d/a", limit: 99) }
    #expect(disk.counters.bytesRead == 100)
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
