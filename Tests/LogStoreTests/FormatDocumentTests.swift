import DiskIO
import MkstoreBytes
import StoreTesting
import Testing

@testable import LogStore

/// docs/format.md is true: the engine's own code decodes its dumps to what it says of them.
struct FormatDocumentTests {
  let document: FormatDocument

  init() throws { document = try FormatDocument() }

  @Test func offsetIndexDumpDecodesAsDescribed() throws {
    let dump = try document.dump("hex index base=0")
    let content = IndexContent<OffsetIndexEntry>(dump.bytes.span, baseOffset: 0)
    let found = content.entries.map { "offset \($0.offset), position \($0.position)" }
    #expect(found == dump.map(\.meaning))
    #expect(try isInFixture("codec-lz4/codec-lz4-0/00000000000000000000.index", dump.bytes))
  }

  @Test func timeIndexDumpDecodesAsDescribed() throws {
    let dump = try document.dump("hex timeindex base=720")
    let content = IndexContent<TimeIndexEntry>(dump.bytes.span, baseOffset: 720)
    let found = content.entries.map { "timestamp \($0.timestamp), offset \($0.offset)" }
    #expect(found == dump.map(\.meaning))
    #expect(try isInFixture("codec-lz4/codec-lz4-0/00000000000000000720.timeindex", dump.bytes))
  }

  @Test func transactionIndexDumpDecodesAsDescribed() throws {
    let dump = try document.dump("hex txnindex base=123")
    let found = try AbortedTransaction.decode(dump.bytes.span, baseOffset: 123, path: "document")
      .map {
        "producer \($0.producerId), offsets \($0.firstOffset) to \($0.lastOffset), "
          + "stable \($0.lastStableOffset)"
      }
    #expect(found == dump.map(\.meaning))
    let name = "txn-commit-abort/txn-commit-abort-0/00000000000000000123.txnindex"
    #expect(try isInFixture(name, dump.bytes))
  }

  @Test func journalDumpsDecodeAsDescribed() throws {
    let first = try document.dump("hex journal")
    let decodedHeader = JournalFileHeader(first.bytes.span)
    let header = try #require(decodedHeader)
    #expect(first.values["liveFrom"] == "\(header.liveFrom)")
    let (group, described) = (
      try document.dump("hex journal-group"), try document.dump("hex journal-entry")
    )
    let bytes = group.bytes + described.bytes
    let decodedHead = JournalGroupHead(bytes.span)
    let head = try #require(decodedHead)
    #expect(head.ringId == header.ringId && head.encodedBytes == bytes.count)
    #expect(group.values["sequence"] == "\(head.sequence)")
    #expect(group.values["durableBelow"] == "\(head.durableBelow)")
    #expect(group.values["liveFrom"] == "\(head.liveFrom)")
    #expect(group.values["byteCount"] == "\(head.byteCount)")
    let entry = try #require(head.entries.first)
    #expect(described.values["name"] == entry.logName && !entry.isVoid)
    #expect(described.values["topicId"] == "\(entry.topicId)")
    #expect(described.values["segmentBaseOffset"] == "\(entry.segmentBase)")
    #expect(described.values["position"] == "\(entry.position)")
    #expect(described.values["byteCount"] == "\(entry.byteCount)")
    #expect(described.values["firstOffset"] == "\(entry.offsets.lowerBound)")
    #expect(described.values["endOffset"] == "\(entry.offsets.upperBound)")
    #expect(described.values["payloadStart"] == "\(entry.payloadStart)")
    #expect(described.values["crc"] == "\(entry.crc)")
    var again = [UInt8](repeating: 0, count: bytes.count)
    var span = again.mutableSpan
    head.encode(into: &span)
    #expect(again == bytes)
  }

  @Test func snapshotDumpDecodesAsDescribed() throws {
    let dump = try document.dump("hex snapshot")
    let values = dump.values
    let snapshot = try ProducerSnapshot(dump.bytes, path: "document")
    let producer = try #require(snapshot.producers.first)
    #expect(values["count"] == "\(snapshot.producers.count)")
    #expect(values["producerId"] == "\(producer.producerId)")
    #expect(values["producerEpoch"] == "\(producer.producerEpoch)")
    #expect(values["lastSequence"] == "\(producer.lastSequence)")
    #expect(values["lastOffset"] == "\(producer.lastOffset)")
    #expect(values["offsetDelta"] == "\(producer.offsetDelta)")
    #expect(values["timestamp"] == "\(producer.timestamp)")
    #expect(values["coordinatorEpoch"] == "\(producer.coordinatorEpoch)")
    #expect(values["currentTxnFirstOffset"] == "\(producer.currentTxnFirstOffset)")
    #expect(snapshot.encoded == dump.bytes)
    let name = "compacted/compacted-0/00000000000000000080.snapshot"
    #expect(try isInFixture(name, dump.bytes))
  }

  @Test func markDumpDecodesAsDescribed() throws {
    let dump = try document.dump("hex mark")
    let values = dump.values
    let disk = SimulatedDisk()
    let birth = FileBirth(
      inode: try #require(UInt64(values["inode"] ?? "")),
      timeNs: try #require(Int64(values["birthTime"] ?? "")))
    try disk.install("/log/\(DurableMark.fileName)", dump.bytes, birth: birth)
    let contents = try DurableMark.read(LogDirectory(disk: disk, path: "/log"))
    let record = try #require(contents.durable)
    #expect(values["sequence"] == "\(record.sequence)")
    #expect(values["bootIdentifier"] == "\(record.bootIdentifier)")
    #expect(values["recoveryPoint"] == "\(record.recoveryPoint)")
    #expect(values["segmentBaseOffset"] == "\(record.segmentBaseOffset)")
    #expect(values["position"] == "\(record.position)")
    #expect(values["largestTimestamp"] == "\(record.largest.timestamp)")
    #expect(values["largestOffset"] == "\(record.largest.offset)")
    #expect(values["offsetEntries"] == "\(record.offsetEntries)")
    #expect(values["timeEntries"] == "\(record.timeEntries)")
    #expect(record.birth == birth && !contents.isCopy)
    #expect(!record.isClean)
    #expect(values["flags"] == "8" && record.durability == .flushed)
  }

  @Test func markIsWrittenAsTheDocumentShows() throws {
    let dump = try document.dump("hex mark")
    let disk = SimulatedDisk()
    let birth = FileBirth(
      inode: try #require(UInt64(dump.values["inode"] ?? "")),
      timeNs: try #require(Int64(dump.values["birthTime"] ?? "")))
    try disk.install("/log/\(DurableMark.fileName)", dump.bytes, birth: birth)
    let directory = LogDirectory(disk: disk, path: "/log")
    var record = try #require(try DurableMark.read(directory).durable)
    let (mark, isNew) = try DurableMark.open(directory)
    #expect(!isNew)
    record.isClean = true
    try mark.noteDurable(record)
    // Slot 0 held the best record, so slot 1 was written, then slot 2.
    let bytes = try content("/log/\(DurableMark.fileName)", on: disk)
    #expect(bytes.count == DurableMark.slotBytes * 2 + 96)
    #expect(Array(bytes[..<96]) == dump.bytes)
    for (slot, sequence) in [(1, 8), (2, 9)] as [(Int, UInt64)] {
      var expected = dump.bytes
      var span = expected.mutableSpan
      span.storeBigEndian(sequence, at: 8)
      span.storeBigEndian(UInt32(9), at: 64)
      span.storeBigEndian(CRC32C.checksum(span.span.extracting(0..<92)), at: 92)
      let start = slot * DurableMark.slotBytes
      #expect(Array(bytes[start..<start + 96]) == expected, "slot \(slot)")
    }
  }

  @Test(arguments: [
    (".index", "hex index base=0", OffsetIndex.entryBytes),
    (".timeindex", "hex timeindex base=720", TimeIndex.entryBytes),
    (".txnindex", "hex txnindex base=123", AbortedTransaction.byteCount),
    (".snapshot", "hex snapshot", 56), ("mkstore.mark", "hex mark", 96),
  ])
  func tablesLeaveNoGapAndGiveTheSize(heading: String, info: String, entryBytes: Int) throws {
    let fields = try document.table(heading)
    var end = 0
    for field in fields {
      #expect(field.at == end, "\(heading): \(field.name)")
      #expect(field.type.hasSuffix("\(field.bytes * 8)"), "\(heading): \(field.name)")
      end += field.bytes
    }
    #expect(end == entryBytes)
    #expect(try document.dump(info).bytes.count.isMultiple(of: entryBytes))
  }

  @Test(arguments: [(".snapshot", "hex snapshot"), ("mkstore.mark", "hex mark")])
  func dumpsFollowTheirTables(heading: String, info: String) throws {
    let fields = try document.table(heading)
    let dump = try document.dump(info)
    let named = dump.map { "\($0.bytes.count) \($0.meaning.split(separator: " ")[0])" }
    #expect(named == fields.map { "\($0.bytes) \($0.name)" })
    for (line, field) in zip(dump, fields) where field.name == "crc" {
      #expect(line.meaning == "crc \(line.bytes.span.loadBigEndian(UInt32.self, at: 0))")
    }
  }

  @Test func textSamplesAreReadAsKafkaReadsThem() throws {
    let offsets = try OffsetCheckpoint(text("offset-checkpoint"), path: "document")
    #expect(offsets.offsets[try TopicPartition(topic: "flights", partition: 0)] == 1924)
    #expect(offsets.encoded == (try text("offset-checkpoint")))
    let epochs = try LeaderEpochCheckpoint(text("leader-epoch-checkpoint"), path: "document")
    #expect(epochs.entries.map(\.epoch) == [0, 4])
    #expect(epochs.encoded == (try text("leader-epoch-checkpoint")))
    let metadata = try PartitionMetadata(
      Array(text("partition.metadata").dropLast()), path: "document")
    #expect(metadata.topicId.description == "IgraLx93Qvi7K6nd3pqE7Q")
    let properties = try MetaProperties(text("meta.properties"), path: "document")
    #expect(properties.nodeId == 1)
    #expect(properties.clusterId == "AAAAAAAAAAAAAAAAAAAAAQ")
    let start = try LogStartFile(text("start"), path: "document")
    #expect(start.offset == 450)
    #expect(start.encoded == (try text("start")))
    let known = try #require(EpochsFile.decode(text("epochs")))
    #expect(known.entries.map(\.epoch) == [0, 1] && known.entries.map(\.startOffset) == [0, 120])
    #expect(EpochsFile.encode(known) == (try text("epochs")))
    let truncation = try #require(Truncation(text("truncation")))
    #expect(truncation.offsets == 120..<200 && truncation.lastBase == 100)
    #expect(truncation.epochs.map(\.epoch) == [0, 1])
    #expect(truncation.files.map(\.byteCount) == [6120, 7044])
    #expect(truncation.encoded == (try text("truncation")))
    let disk = SimulatedDisk()
    let directory = LogDirectory(disk: disk, path: "/t-0")
    try disk.install("/t-0/\(AcceptedLossesFile.name)", text("accepted"))
    let losses = try AcceptedLossesFile.read(directory)
    #expect(losses.map(\.offsets) == [24..<31, 40..<44])
    #expect(losses.map(\.bytes) == [592..<1180, 0..<0])
    #expect(losses.map(\.keptAs) == ["00000000000000000013.log@592+588", nil])
    try AcceptedLossesFile.write(losses, directory)
    #expect(disk.contents(of: "/t-0/\(AcceptedLossesFile.name)") == (try text("accepted")))
    let checkpoint = try LogStartCheckpoint(text("checkpoint"), path: "document")
    #expect(checkpoint.birth == FileBirth(inode: 1311, timeNs: 1_794_700_879_123_456_789))
    #expect(checkpoint.previousBirth == FileBirth(inode: 1305, timeNs: 1_794_700_819_123_456_789))
    #expect(checkpoint.content == Array("0\n1\nflights 0 450\n".utf8))
    #expect(checkpoint.encoded == (try text("checkpoint")))
    let session = try StoreSession(text("session"), path: "document")
    #expect(session.policySession == 0x9f0c_3a55_d21e_7b46 && session.wallMs == 1_794_700_879_123)
    #expect(session.encoded == (try text("session")))
    let ids = try ProducerIdsFile(text("producer-ids"), path: "document")
    #expect(ids.nextProducerId == 5_123_456_789_012_345)
    #expect(ids.encoded == (try text("producer-ids")))
    #expect(try text("cleanshutdown") == CleanShutdownFile.content + [UInt8(ascii: "\n")])
  }

  private func text(_ info: String) throws -> [UInt8] {
    Array((try document.block("text \(info)").joined(separator: "\n") + "\n").utf8)
  }

  /// Whether a fixture written by a broker begins with `bytes`.
  private func isInFixture(_ name: String, _ bytes: [UInt8]) throws -> Bool {
    try SharedVectors.bytes(SharedVectors.kafka(name)).starts(with: bytes)
  }

  private func content(_ path: String, on disk: SimulatedDisk) throws -> [UInt8] {
    let file = try disk.open(path, .read)
    var bytes = [UInt8](repeating: 0, count: try file.size())
    var span = bytes.mutableSpan
    _ = try file.read(into: &span, at: 0)
    return bytes
  }
}
