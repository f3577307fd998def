import DiskIO
import Foundation
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// A partition's directory that Kafka wrote, and what Kafka's own reader says of it.
struct KafkaLog {
  /// A line of records.jsonl: a batch's header, or a record of the batch before it.
  struct Line: Decodable {
    var position: Int?
    var size: Int?
    var baseOffset: Int64?
    var lastOffset: Int64?
    var valid: Bool?
    var offset: Int64?
    var timestamp: Int64?
    var key: String?
    var value: String?
    var headers: [[String?]]?
  }

  /// `<topic>-<partition>`.
  let name: String
  /// Path of the directory of vectors/kafka.
  let path: String
  let files: [String: [UInt8]]
  let lines: [Line]

  init(_ path: String) throws {
    self.path = path
    let name = try #require(try SharedVectors.names(in: path).first { $0.hasSuffix("-0") })
    self.name = name
    var files: [String: [UInt8]] = [:]
    for file in try SharedVectors.names(in: "\(path)/\(name)") {
      files[file] = try SharedVectors.bytes("\(path)/\(name)/\(file)")
    }
    self.files = files
    lines = try Self.lines("\(path)/records.jsonl")
  }

  static func lines(_ path: String) throws -> [Line] {
    let decoder = JSONDecoder()
    return try String(decoding: try SharedVectors.bytes(path), as: UTF8.self)
      .split(separator: "\n").map { try decoder.decode(Line.self, from: Data($0.utf8)) }
  }

  var isUnclean: Bool { path.split(separator: "/").last?.hasPrefix("unclean") == true }

  /// Records of the valid batches, as Kafka's reader gives them.
  var records: [Line] { lines.filter { $0.offset != nil } }

  /// Batches that Kafka's reader refuses, torn ends left out.
  var damaged: [Line] { lines.filter { $0.valid == false && $0.baseOffset != nil } }

  /// The whole batches of its `.log` files, in order.
  func batches() throws -> [[UInt8]] {
    var batches: [LogModel.Batch] = []
    for name in files.keys.sorted() where name.hasSuffix(".log") {
      try LogModel.split(files[name] ?? [], into: &batches)
    }
    return batches.map(\.bytes)
  }

  /// A store on a simulated disk that holds the directory; with Kafka's clean-shutdown mark unless
  /// it was not closed.
  func disk() throws -> SimulatedDisk {
    let disk = SimulatedDisk(seed: 31)
    for (file, bytes) in files { try disk.install("/data/\(name)/\(file)", bytes) }
    if !isUnclean { try disk.install("/data/\(CleanShutdownFile.name)", []) }
    return disk
  }
}

extension KafkaLog.Line {
  /// Whether a record is what the line says: every byte of it.
  func matches(_ record: Record) -> Bool {
    record.offset == offset && record.timestamp == timestamp && hex(record.key) == key
      && hex(record.value) == value
      && record.headers.map { [Optional(hexString($0.name)), hex($0.value)] } == headers
  }

  private func hex(_ bytes: [UInt8]?) -> String? { bytes.map { hexString($0) } }

  private func hexString(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { String($0 + 0x100 as Int, radix: 16).dropFirst() }.joined()
  }
}

extension UInt8 {
  fileprivate static func + (byte: UInt8, offset: Int) -> Int { Int(byte) + offset }
}

extension Log {
  /// Every record from `start` on, control records too, by a reader with small reads; damaged
  /// ranges are stepped over and listed.
  func allRecords(maxBytes: Int = 4_000) throws -> (records: [Record], damaged: [DamagedRange]) {
    let reader = LogReader(self)
    var decoder = RecordDecoder(tolerance: .kafka)
    var records: [Record] = []
    var damaged: [DamagedRange] = []
    var buffer: [UInt8] = []
    var offset = logStartOffset
    while offset < logEndOffset {
      do {
        guard
          let found = try reader.read(
            from: offset, maxBytes: maxBytes, limit: .logEnd, into: &buffer)
        else { break }
        records += try decode(buffer, &decoder).filter { $0.offset >= offset }
        offset = found.nextOffset
      } catch let failure as LogError where failure.code == .corrupt {
        guard case .corrupt(let range) = failure.kind else { throw failure }
        damaged.append(range)
        offset = try #require(range.offsets).upperBound
      }
    }
    return (records, damaged)
  }

  private func decode(_ bytes: [UInt8], _ decoder: inout RecordDecoder) throws -> [Record] {
    var records: [Record] = []
    var position = 0
    while position < bytes.count {
      let rest = bytes.span.extracting(position...)
      let size = try BatchHeader(rest).byteCount
      records += try RecordBatch(rest.extracting(first: size)).records(&decoder)
      position += size
    }
    return records
  }
}
