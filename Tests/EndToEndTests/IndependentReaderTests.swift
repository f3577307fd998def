import DiskIO
import Foundation
import LogStore
import RecordFormat
import Testing

/// Programs that read our segments with code that is not ours.
enum OtherReaders {
  /// `MKSTORE_PYTHON`, else the one that tools/test leaves behind.
  static let python: String? = {
    let named = ProcessInfo.processInfo.environment["MKSTORE_PYTHON"]
    let usual = Repository.root + "/.build/test-tools/venv/bin/python"
    return [named, usual].compactMap { $0 }.first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
  }()
}

/// What we write, the record parsers of kafka-python and aiokafka read, and read the same.
@Suite(
  .enabled(
    if: OtherReaders.python != nil,
    "needs a Python with kafka-python and aiokafka (MKSTORE_PYTHON); tools/test makes one"))
struct IndependentReaderTests {
  /// Records with everything that is easy to get wrong.
  private static let records: [Record] = {
    var records: [Record] = []
    let bytes: [[UInt8]?] = [nil, [], [0], Array("k".utf8), Array(repeating: 0xff, count: 200)]
    for index in 0..<300 {
      let headers = (0..<index % 5).map { header in
        RecordHeader(
          name: Array(header == 3 ? "".utf8 : "h\(header % 2)é".utf8),
          value: header == 1 ? nil : Array("value \(header)".utf8))
      }
      records.append(
        Record(
          offset: Int64(index), timestamp: 1_700_000_000_000 + Int64(index * 7_919 % 1_000) - 500,
          key: bytes[index % 5],
          value: index % 7 == 3 ? nil : Array(repeating: UInt8(index & 0x7f), count: index * 3),
          headers: headers))
    }
    return records
  }()

  @Test(arguments: ["kafka-python", "aiokafka"], [Compression.none, .zstd(level: 3)])
  func segmentsAreReadByOthers(library: String, compression: Compression) throws {
    let workspace = try Workspace()
    let log = try write(to: workspace("data"), compression)
    let segments = try Workspace.files(in: log, endingIn: ".log")
    #expect(segments.count > 3)
    let script = Repository.root + "/Tests/IndependentReader/read_segments.py"
    let outcome = try Command.run(
      try #require(OtherReaders.python), [script, library] + segments)
    #expect(outcome.status == 0, "\(outcome.messages)")
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(lines == Self.records.map(Self.line))
  }

  /// Appends all records, a few to a batch, over several segments; gives the log's directory.
  private func write(to store: String, _ compression: Compression) throws -> String {
    var config = StoreConfig()
    config.createsStore = true
    config.log.compression = compression
    config.log.segmentBytes = compression == .none ? 30_000 : 2_500
    let manager = try Store.openBlocking(store, config: config)
    let log = try manager.createLogBlocking(
      try TopicPartition(topic: "read.by-others_1", partition: 7))
    var index = 0
    while index < Self.records.count {
      let end = min(Self.records.count, index + 1 + index % 17)
      let batch = Array(Self.records[index..<end])
      try log.appendBlocking(batch.map { NewRecord($0) })
      index = end
    }
    try manager.closeBlocking()
    return log.path
  }

  /// A record as the script prints it.
  private static func line(_ record: Record) -> String {
    func hex(_ bytes: [UInt8]?) -> String {
      guard let bytes else { return "null" }
      return "\"" + bytes.map { String(Int($0) + 0x100, radix: 16).dropFirst() }.joined() + "\""
    }
    let headers = record.headers.map { "[\(hex($0.name)), \(hex($0.value))]" }
    return "[\(record.offset), \(record.timestamp), 0, \(hex(record.key)), \(hex(record.value)), "
      + "[\(headers.joined(separator: ", "))]]"
  }
}
