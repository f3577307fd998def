import DiskIO
import Foundation
import LogStore
import Testing

/// Verify agrees with what Kafka says of the directories it wrote.
struct VerifyVectorTests {
  /// A line of records.jsonl: a batch's header, or a record.
  struct Line: Decodable {
    var file: String?
    var position: Int?
    var size: Int?
    var count: Int?
    var valid: Bool?
    var offset: Int64?
    var baseOffset: Int64?
    var lastOffset: Int64?
  }

  @Test(arguments: SharedVectors.kafkaDirectories)
  func everyKafkaDirectoryIsAsItsRecordsSay(_ directory: String) throws {
    let log = try #require(
      try SharedVectors.names(in: directory).first { $0.hasSuffix("-0") })
    let lines = try lines(directory)
    for depth in VerificationOptions.Depth.allCases {
      var options = VerificationOptions()
      options.depth = depth
      let report = try LogVerifier(PosixDisk(), options).verify(["\(directory)/\(log)"])
      try check(report, lines, directory, depth)
    }
  }

  private func check(
    _ report: VerificationReport, _ lines: [Line], _ directory: String,
    _ depth: VerificationOptions.Depth
  ) throws {
    let batches = lines.filter { $0.file != nil }
    let valid = batches.filter { $0.valid == true }
    let isTorn = ["unclean-torn", "unclean-tornheader", "unclean-zerotail"].contains {
      directory.hasSuffix($0)
    }
    #expect(report.batchCount == valid.count)
    // A compressed set of the old formats only tells its records when it is inflated.
    if depth != .quick || valid.allSatisfy({ $0.count != nil }) {
      #expect(report.recordCount == lines.count { $0.offset != nil })
    }
    let damaged = batches.filter { $0.valid == false && $0.size != nil }
    for batch in damaged where !isTorn {
      let position = try #require(batch.position)
      let size = try #require(batch.size)
      let found = report.damage.filter { $0.file.hasSuffix(batch.file ?? "?") }
      #expect(found.map(\.bytes) == [position..<position + size])
      #expect(found.map(\.offsets) == [batch.baseOffset!..<batch.lastOffset! + 1])
    }
    #expect(report.damage.count == (isTorn ? 0 : damaged.count))
    #expect(report.tornTails.count == (isTorn ? 1 : 0))
    // After a kill an index may be ahead of its log: opening brings it in line.
    #expect(report.sideFileDamage.allSatisfy { $0.isMendedByOpen })
    #expect(report.unreadable == [])
    if damaged.isEmpty {
      let counts = "\(report.recordCount) records, \(report.segmentCount) segments, no damage"
      #expect(report.summary.hasPrefix("ok: " + counts))
      #expect(isTorn || report.summary == "ok: " + counts)
    }
  }

  @Test(arguments: [
    ("unclean-torn", 5016..<7812, 420), ("unclean-tornheader", 7849..<7889, 450),
    ("unclean-zerotail", 7849..<11945, 450),
  ])
  func unfinishedWritesAreNoDamage(_ name: String, _ bytes: Range<Int>, _ offset: Int64) throws {
    let path = SharedVectors.kafka(name) + "/unclean-0"
    let report = try LogVerifier(PosixDisk()).verify([path])
    let tail = try #require(report.tornTails.first)
    #expect(tail.file == path + "/00000000000000000360.log")
    #expect(tail.bytes == bytes)
    #expect(tail.offset == offset)
    #expect(!report.hasDamage)
    #expect(report.summary.hasSuffix("no damage, \(bytes.count) bytes of unfinished writes"))
  }

  @Test func everyLogdirIsAsItsManifestSays() throws {
    for log in try LogdirManifest.all() {
      let report = try LogVerifier(PosixDisk()).verify([log.directory])
      let found = try #require(report.logs.first)
      let batches = log.segments.flatMap(\.batches)
      #expect(found.segmentCount == log.segments.count)
      #expect(found.batchCount == batches.count)
      #expect(found.recordCount == batches.reduce(0) { $0 + $1.records })
      #expect(found.byteCount == log.segments.reduce(0) { $0 + $1.bytes })
      #expect(found.endOffset == log.logEndOffset)
      #expect(!report.hasDamage && report.tornTails.isEmpty, "\(log.path): \(report.summary)")
      let preallocated = log.files.filter { $0.value.preallocated == true }.keys
      for name in preallocated {
        #expect(
          report.notes.contains { $0.file.hasSuffix(name) && $0.text.contains("preallocated") })
      }
      #expect(report.notes.count { $0.text.contains("preallocated") } == preallocated.count)
    }
  }

  @Test func aStoreIsVerifiedWithAllItsLogs() throws {
    let report = try LogVerifier(PosixDisk()).verify([SharedVectors.logdir + "/clean/"])
    let logs = try LogdirManifest.all().filter { $0.path.hasPrefix("clean/") }
    #expect(Set(report.logs.map(\.path)) == Set(logs.map(\.directory)))
    let segments = logs.flatMap(\.segments)
    let records = segments.flatMap(\.batches).reduce(0) { $0 + $1.records }
    #expect(report.summary == "ok: \(records) records, \(segments.count) segments, no damage")
    #expect(report.damage == [] && report.sideFileDamage == [] && report.unreadable == [])
  }

  @Test func aSingleSegmentIsVerifiedWithItsIndexes() throws {
    let path = SharedVectors.logdir + "/clean/seg-0/00000000000000000000.log"
    let report = try LogVerifier(PosixDisk()).verify([path])
    #expect(report.logs.map(\.path) == [path])
    #expect(report.summary == "ok: 127 records, 1 segments, no damage")
    let index = SharedVectors.logdir + "/clean/seg-0/00000000000000000000.index"
    #expect(try LogVerifier(PosixDisk()).verify([index]).hasDamage)
    #expect(throws: DiskError.self) { try LogVerifier(PosixDisk()).verify(["/no/such/path"]) }
  }

  @Test func progressEndsAtTheTotal() throws {
    let seen = ProgressLog()
    let report = try LogVerifier(PosixDisk()).verify([SharedVectors.logdir + "/clean"]) {
      seen.add($0)
    }
    #expect(seen.all.last?.doneBytes == report.byteCount)
    #expect(seen.all.allSatisfy { $0.totalBytes == report.byteCount })
  }

  private func lines(_ directory: String) throws -> [Line] {
    let text = String(
      decoding: try SharedVectors.bytes(directory + "/records.jsonl"), as: UTF8.self)
    let decoder = JSONDecoder()
    return try text.split(separator: "\n").map {
      try decoder.decode(Line.self, from: Data($0.utf8))
    }
  }
}

/// Progress reports of several threads, largest last.
private final class ProgressLog: Sendable {
  private let values = Locked<[VerificationProgress]>([])

  func add(_ value: VerificationProgress) {
    values.withLock { $0.append(value) }
  }

  var all: [VerificationProgress] {
    values.withLock { $0 }.sorted { $0.doneBytes < $1.doneBytes }
  }
}
