import Foundation
import MkstoreBytes
import RecordFormat
import Testing

/// docs/format.md says what the code does: its dumps are read, its tables compared with constants.
@Suite struct FormatDocumentTests {
  private let text: String

  init() throws {
    text = try String(
      contentsOf: SharedVectors.packageRoot.appendingPathComponent("docs/format.md"),
      encoding: .utf8)
  }

  /// One line of a dump: where it stands, its bytes, the field it begins and what is said of it.
  private struct DumpLine {
    var position: Int
    var bytes: [UInt8]
    var field: String
    var note: String
  }

  /// Lines of the fenced block `hexdump NAME`. Columns are two blanks or more apart.
  private func dump(_ name: String) throws -> [DumpLine] {
    let lines = text.components(separatedBy: "\n")
    let start = try #require(lines.firstIndex(of: "```hexdump \(name)"))
    let block = lines[(start + 1)...].prefix { $0 != "```" }
    return try block.map { line in
      let columns = line.components(separatedBy: "  ")
        .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
      let rest = columns.dropFirst(2).joined(separator: " ")
      let words = rest.split(separator: " ", maxSplits: 1).map(String.init)
      return DumpLine(
        position: try #require(Int(columns[0])),
        bytes: try columns[1].split(separator: " ").map { try #require(UInt8($0, radix: 16)) },
        field: words.first ?? "", note: words.count > 1 ? words[1] : "")
    }
  }

  /// The bytes of a dump, whose positions must be right.
  private func assembled(_ lines: [DumpLine]) -> [UInt8] {
    var bytes: [UInt8] = []
    for line in lines {
      #expect(line.position == bytes.count, "\(line.field)")
      bytes += line.bytes
    }
    return bytes
  }

  private static let layout: [(String, Int)] = [
    ("baseOffset", BatchLayout.baseOffset), ("batchLength", BatchLayout.batchLength),
    ("partitionLeaderEpoch", BatchLayout.partitionLeaderEpoch), ("magic", BatchLayout.magic),
    ("crc", BatchLayout.crc), ("attributes", BatchLayout.attributes),
    ("lastOffsetDelta", BatchLayout.lastOffsetDelta),
    ("baseTimestamp", BatchLayout.baseTimestamp), ("maxTimestamp", BatchLayout.maxTimestamp),
    ("producerId", BatchLayout.producerId), ("producerEpoch", BatchLayout.producerEpoch),
    ("baseSequence", BatchLayout.baseSequence), ("recordCount", BatchLayout.recordCount),
  ]

  /// Rows of the first table after a heading, as cells.
  private func rows(under heading: String) throws -> [[String]] {
    let lines = text.components(separatedBy: "\n")
    let start = try #require(lines.firstIndex(of: heading))
    let table = lines[start...].drop { !$0.hasPrefix("|") }.prefix { $0.hasPrefix("|") }
    return table.dropFirst(2).map { row in
      row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }
  }

  @Test func theHeaderTableHasTheLayoutsPositions() throws {
    let rows = try rows(under: "## Record batch (magic 2)")
    #expect(rows.map { $0[3] } == FormatDocumentTests.layout.map(\.0))
    var next = 0
    for (row, (name, position)) in zip(rows, FormatDocumentTests.layout) {
      #expect(Int(row[0]) == position, "\(name)")
      #expect(position == next, "\(name)")
      next += try #require(Int(row[1]))
      #expect((row[4] == "yes") == (position >= BatchLayout.attributes), "\(name)")
    }
    #expect(next == BatchLayout.records)
  }

  @Test func theVarintTableIsRight() throws {
    let rows = try rows(under: "## Variable-length integers")
    #expect(rows.count >= 10)
    for row in rows {
      let expected = bytes(hex: row[1].filter { $0 != "`" })
      let value = try #require(Int64(row[0]))
      var reader = ByteReader(expected.span)
      let found = reader.readVarint64()
      let (remaining, isPadded) = (reader.remaining, reader.sawPaddedVarint)
      #expect(found == value && remaining == 0 && !isPadded)
    }
  }

  @Test(arguments: ["batch", "control"])
  func headerFieldsOfADumpStandWhereTheLayoutSays(name: String) throws {
    let lines = try dump(name)
    for (field, position) in FormatDocumentTests.layout {
      let line = try #require(lines.first { $0.field == field })
      #expect(line.position == position, "\(field)")
    }
  }

  @Test func theBatchDumpIsWhatItSays() throws {
    let lines = try dump("batch")
    let bytes = assembled(lines)
    #expect(bytes == (try SharedVectors.fixture("valid/headers-null-value.kp")))
    #expect(fault(bytes) == nil)
    let header = try BatchHeader(bytes.span)
    #expect(note("crc", lines).hasPrefix(String(header.crc, radix: 16)))
    #expect(note("baseTimestamp", lines) == "\(header.baseTimestamp)")
    #expect(note("lastOffsetDelta", lines) == "\(header.lastOffsetDelta)")
    let read = try records(bytes)
    #expect(read.count == lines.filter { $0.field == "recordLength" }.count)
    let names = lines.filter { $0.field == "headerKey" }.map { $0.note.filter { $0 != "\"" } }
    #expect(read.flatMap { $0.headers.map(\.nameText) } == names)
    #expect(read[0].value.map { String(decoding: $0, as: UTF8.self) } == "whiskey mike sierra ")
  }

  @Test func theControlDumpIsWhatItSays() throws {
    let lines = try dump("control")
    let bytes = assembled(lines)
    #expect(bytes == (try SharedVectors.fixture("valid/control-commit-txn-1.brk")))
    let record = try #require(try records(bytes).first)
    #expect(record.control?.kind == .commit(coordinatorEpoch: 4))
    #expect(note("baseOffset", lines) == "\(record.offset)")
  }

  @Test func theMessageDumpIsWhatItSays() throws {
    let lines = try dump("message")
    let bytes = assembled(lines)
    #expect(fault(bytes) == nil)
    let record = try #require(try records(bytes).first)
    #expect(record.timestamp == Int64(note("timestamp", lines)))
    #expect(record.key == Array("k0".utf8) && record.value == Array("legacy value 0".utf8))
    for (field, position) in [
      ("messageOffset", LegacyLayout.offset), ("messageSize", LegacyLayout.messageSize),
      ("crc", LegacyLayout.crc), ("magic", LegacyLayout.magic),
      ("attributes", LegacyLayout.attributes), ("timestamp", LegacyLayout.timestamp),
    ] {
      #expect(lines.first { $0.field == field }?.position == position, "\(field)")
    }
  }

  private func note(_ field: String, _ lines: [DumpLine]) -> String {
    lines.first { $0.field == field }?.note ?? ""
  }

  @Test func theLimitsAreThoseOfTheCode() {
    #expect(text.contains("1048588") && RecordBatchBuilder.batchBytesDefault == 1_048_588)
    #expect(RecordDecoder.decompressedBytesMaxDefault == 64 << 20)
    #expect(RecordBatchBuilder.recordBytesMax == 64 << 20)
  }
}
