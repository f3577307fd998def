import DiskIO
import Foundation
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// The same appends give the same files: what Kafka appended is appended again, and segments and
/// indexes come out byte for byte as Kafka's (I2, I6).
@Suite struct KafkaIdentityTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var path: String
    var segmentBytes: Int
    var intervalBytes: Int
    var segmentIndexBytes: Int
    var testDescription: String { path.split(separator: "/").last.map(String.init) ?? path }
  }

  /// vectors/kafka, with the settings that its README states.
  static let kafka: [Case] = SharedVectors.kafkaDirectories.compactMap { path in
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    let mix: Set = [
      "codec-none", "codec-gzip", "codec-snappy", "codec-lz4", "codec-zstd", "idempotent",
      "mixed-codecs", "log-append-time", "unclean-kill9", "single-record-batches",
    ]
    guard mix.contains(name) else { return nil }
    return Case(
      path: path, segmentBytes: name == "unclean-kill9" ? 16_384 : 32_768, intervalBytes: 1_024,
      segmentIndexBytes: 16_384)
  }

  @Test(arguments: kafka)
  func theSameAppendsGiveTheSameFiles(_ example: Case) throws {
    let kafka = try KafkaLog(example.path)
    var expected = kafka.files
    if kafka.isUnclean {
      // The broker was killed: its own recovery closed what it had.
      let recovered = try KafkaLog.recovered(example.path)
      for (name, bytes) in recovered { expected[name] = bytes }
    }
    try expectIdentical(
      try kafka.batches(), expected, segmentBytes: example.segmentBytes,
      intervalBytes: example.intervalBytes, segmentIndexBytes: example.segmentIndexBytes)
  }

  /// vectors/logdir, with the settings of its manifest; directories that were cleaned, hold
  /// transactions, have a deleted head or were rolled by record time cannot be made by appending.
  @Test(arguments: [
    ("seg-0", 14_000, 512, 10_485_760), ("pre-0", 20_000, 100, 1_024),
    ("lat-gzip-0", 1 << 30, 4_096, 10_485_760),
  ])
  func theSameAppendsGiveTheSameLogdir(
    _ name: String, _ segmentBytes: Int, _ intervalBytes: Int, _ segmentIndexBytes: Int
  ) throws {
    let directory = "\(SharedVectors.logdir)/clean/\(name)"
    var files: [String: [UInt8]] = [:]
    for file in try SharedVectors.names(in: directory) {
      files[file] = try SharedVectors.bytes("\(directory)/\(file)")
    }
    var batches: [LogModel.Batch] = []
    for file in files.keys.sorted() where file.hasSuffix(".log") {
      try LogModel.split(files[file] ?? [], into: &batches)
    }
    try expectIdentical(
      batches.map(\.bytes), files, segmentBytes: segmentBytes, intervalBytes: intervalBytes,
      segmentIndexBytes: segmentIndexBytes)
  }

  /// Appends, closes and compares, on a disk that was recovered by a kill half-way too.
  private func expectIdentical(
    _ batches: [[UInt8]], _ files: [String: [UInt8]], segmentBytes: Int, intervalBytes: Int,
    segmentIndexBytes: Int
  ) throws {
    let config = CrashStore.config(
      segmentBytes: segmentBytes, durability: .operatingSystem, indexIntervalBytes: intervalBytes,
      segmentIndexBytes: segmentIndexBytes)
    for killedAt in [Int.max, batches.count / 2] {
      var disk = SimulatedDisk(seed: 34)
      var store = try CrashStore(disk, config)
      for (index, batch) in batches.enumerated() {
        if index == killedAt {
          disk = disk.kill()
          store = try CrashStore(disk, config, creates: false)
        }
        var bytes = batch
        try store.log.appendSealed(&bytes)
      }
      try store.manager.closeBlocking()
      let place = killedAt == Int.max ? "" : "killed at \(killedAt): "
      let written = Dictionary(
        uniqueKeysWithValues: disk.paths.compactMap { path -> (String, [UInt8])? in
          guard let name = path.split(separator: "/").last, isSegmentFile(String(name)) else {
            return nil
          }
          return (String(name), disk.contents(of: path) ?? [])
        })
      let expected = files.filter { isSegmentFile($0.key) }
      #expect(Set(written.keys) == Set(expected.keys), "\(place)segments")
      for (name, bytes) in expected.sorted(by: { $0.key < $1.key }) {
        #expect(written[name]?.count == bytes.count, "\(place)\(name)")
        #expect(written[name] == bytes, "\(place)\(name)")
      }
    }
  }

  private func isSegmentFile(_ name: String) -> Bool {
    name.hasSuffix(".log") || name.hasSuffix(".index") || name.hasSuffix(".timeindex")
  }

  @Test func recoveryBuildsTheIndexesThatKafkasRecoveryBuilds() throws {
    // pre-0 as after kill -9, and what Kafka's own recovery of its last segment gives.
    let manifest = try #require(try LogdirManifest.all().first { $0.path == "unclean/pre-0" })
    let disk = SimulatedDisk(seed: 35)
    for file in manifest.files.keys {
      try disk.install(
        "/data/pre-0/\(file)", try SharedVectors.bytes("\(manifest.directory)/\(file)"))
    }
    let config = CrashStore.config(
      segmentBytes: 20_000, indexIntervalBytes: 100, segmentIndexBytes: 1_024)
    let store = try Store.openBlocking("/data", config: config, disk: disk, logger: .silent)
    let log = try #require(store.logs.first)
    #expect(log.logEndOffset == 210 && log.recovery.rows == ["R5"])
    // The first append opens the indexes; the close trims them.
    try store.closeBlocking()
    let clean = "\(SharedVectors.logdir)/clean/pre-0"
    for base in [Int64(0), 171] {
      for kind in [SegmentName.Kind.index, .timeindex] {
        let name = SegmentName(base, kind).fileName
        let expected = try SharedVectors.bytes("\(clean)/\(name)")
        #expect(disk.contents(of: "/data/pre-0/\(name)") == expected, "\(name)")
      }
    }
  }
}

extension KafkaLog {
  /// Files after Kafka's own recovery of an unclean directory; empty where only the records are
  /// there.
  static func recovered(_ path: String) throws -> [String: [UInt8]] {
    let directory = "\(path)/recovered/unclean-0"
    guard SharedVectors.exists(directory) else { return [:] }
    var files: [String: [UInt8]] = [:]
    for file in try SharedVectors.names(in: directory) {
      files[file] = try SharedVectors.bytes("\(directory)/\(file)")
    }
    return files
  }
}

extension Log {
  /// Appends a batch that Kafka wrote as it stands: with its time type and producer.
  func appendSealed(_ batch: inout [UInt8]) throws(LogError) {
    var span = batch.mutableSpan
    var failure: LogError?
    do throws(BatchError) {
      let header = try BatchHeader(span.span)
      do throws(LogError) { _ = try appender.writeValid(&span, header) } catch { failure = error }
    } catch {
      failure = .invalidBatch(error)
    }
    if let failure { throw failure }
  }
}
