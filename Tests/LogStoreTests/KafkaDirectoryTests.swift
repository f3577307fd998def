import DiskIO
import Foundation
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// Directories that a Kafka broker wrote, clean and after crashes: all that is valid is served,
/// byte for byte, and what is not is named exactly.
@Suite struct KafkaDirectoryTests {
  static func config() -> StoreConfig {
    var config = CrashStore.config(
      segmentBytes: 32_768, indexIntervalBytes: 1_024, segmentIndexBytes: 16_384)
    config.createsStore = false
    return config
  }

  private func open(_ log: KafkaLog, _ disk: SimulatedDisk) throws -> (Store, Log) {
    let store = try Store.openBlocking("/data", config: Self.config(), disk: disk, logger: .silent)
    #expect(store.report.failed.isEmpty)
    return (store, try #require(store.logs.first))
  }

  private func check(_ log: Log, _ kafka: KafkaLog, _ place: String) throws {
    let found = try log.allRecords()
    let expected = kafka.records
    #expect(found.records.count == expected.count, "\(place)")
    for (record, line) in zip(found.records, expected) where !line.matches(record) {
      Issue.record("\(place): \(record) instead of \(line)")
      break
    }
    let damaged = found.damaged.map { "\($0.bytes) \($0.offsets ?? 0..<0)" }
    let stated = kafka.damaged.map {
      "\($0.position!..<$0.position! + $0.size!) \($0.baseOffset!..<$0.lastOffset! + 1)"
    }
    #expect(damaged == stated, "\(place)")
    let end = kafka.lines.compactMap(\.lastOffset).max().map { $0 + 1 }
    #expect(log.logEndOffset == end, "\(place)")
  }

  @Test(arguments: SharedVectors.kafkaDirectories)
  func everythingValidIsServed(_ path: String) throws {
    let kafka = try KafkaLog(path)
    let disk = try kafka.disk()
    let (store, log) = try open(kafka, disk)
    #expect(store.report.wasClean != kafka.isUnclean)
    try check(log, kafka, "opened")
    try store.closeBlocking()
    // And again: clean, killed, read-only.
    let (again, second) = try open(kafka, disk)
    try check(second, kafka, "opened again")
    #expect(second.recovery.cuts.isEmpty)
    let (_, third) = try open(kafka, disk.kill())
    try check(third, kafka, "after a kill")
    let view = try Log.openReadOnlyBlocking("/data/\(kafka.name)", disk: disk, logger: .silent)
    try check(view, kafka, "read-only")
    _ = again
  }

  @Test(arguments: SharedVectors.kafkaDirectories)
  func aReaderSeesTheSameWithoutChangingAnything(_ path: String) throws {
    let kafka = try KafkaLog(path)
    let disk = try kafka.disk()
    let before = Dictionary(uniqueKeysWithValues: disk.paths.map { ($0, disk.contents(of: $0)) })
    let view = try Log.openReadOnlyBlocking("/data/\(kafka.name)", disk: disk, logger: .silent)
    try check(view, kafka, "read-only")
    let after = Dictionary(uniqueKeysWithValues: disk.paths.map { ($0, disk.contents(of: $0)) })
    #expect(before == after && disk.operationCount == 0)
  }

  @Test(arguments: SharedVectors.kafkaDirectories.filter { $0.contains("/unclean") })
  func atLeastWhatKafkasRecoveryKeptIsKept(_ path: String) throws {
    struct Result: Decodable {
      var recoveredLogEndOffset: Int64
    }
    let kafka = try KafkaLog(path)
    let result = try JSONDecoder().decode(
      Result.self, from: Data(try SharedVectors.bytes("\(path)/recovered/result.json")))
    let kept = try KafkaLog.lines("\(path)/recovered/records.jsonl").filter { $0.offset != nil }
    let (_, log) = try open(kafka, try kafka.disk())
    let found = Dictionary(
      uniqueKeysWithValues: try log.allRecords().records.map { ($0.offset, $0) })
    #expect(log.logEndOffset >= result.recoveredLogEndOffset)
    for line in kept {
      let record = found[line.offset ?? -1]
      #expect(record.map { line.matches($0) } == true, "offset \(line.offset ?? -1)")
    }
    if path.hasSuffix("unclean-bitflip-mid") {
      // Kafka dropped everything from offset 300 on; only 300 to 341 are damaged.
      #expect(result.recoveredLogEndOffset == 300 && log.logEndOffset == 450)
      #expect(log.recovery.damage.map(\.offsets) == [300..<342])
      #expect(Set(found.keys).isSuperset(of: 342..<450))
    }
  }

  @Test(arguments: SharedVectors.kafkaDirectories)
  func aRealDiskGivesTheSame(_ path: String) throws {
    let kafka = try KafkaLog(path)
    try withTemporaryDirectory { directory in
      try FileManager.default.createDirectory(
        atPath: "\(directory)/\(kafka.name)", withIntermediateDirectories: false)
      for (file, bytes) in kafka.files {
        try Data(bytes).write(to: URL(filePath: "\(directory)/\(kafka.name)/\(file)"))
      }
      if !kafka.isUnclean {
        try Data().write(to: URL(filePath: "\(directory)/\(CleanShutdownFile.name)"))
      }
      let store = try Store.openBlocking(directory, config: Self.config(), logger: .silent)
      let log = try #require(store.logs.first)
      try check(log, kafka, "real disk")
      // Appending goes on where Kafka stopped.
      var batch = SampleBatches.small[0]
      #expect(try log.appendBlocking(batch: &batch).baseOffset == log.recovery.logEndOffset)
      try store.closeBlocking()
    }
  }

  @Test func deletedRecordsAreNotServed() throws {
    let disk = SimulatedDisk(seed: 32)
    let kafka = try KafkaLog(SharedVectors.kafka("start-offset"))
    for (file, bytes) in kafka.files { try disk.install("/data/\(kafka.name)/\(file)", bytes) }
    try disk.install("/data/\(CleanShutdownFile.name)", [])
    let checkpoint = "log-start-offset-checkpoint"
    try disk.install(
      "/data/\(checkpoint)",
      try SharedVectors.bytes(SharedVectors.kafka("broker-dir/\(checkpoint)")))
    let (_, log) = try open(kafka, disk)
    #expect(log.logStartOffset == 450)
    #expect(throws: LogError.self) { try LogReader(log).read(from: 449, maxBytes: 1) }
    let found = try log.allRecords().records
    let expected = kafka.records.filter { $0.offset! >= 450 }
    #expect(found.count == expected.count && !found.isEmpty)
    for (record, line) in zip(found, expected) { #expect(line.matches(record)) }
  }

  @Test func everyLogdirGivesItsBatches() throws {
    for manifest in try LogdirManifest.all() {
      let disk = SimulatedDisk(seed: 33)
      let name = try #require(manifest.path.split(separator: "/").last)
      for file in manifest.files.keys {
        try disk.install(
          "/data/\(name)/\(file)", try SharedVectors.bytes("\(manifest.directory)/\(file)"))
      }
      if manifest.path.hasPrefix("clean") { try disk.install("/data/.kafka_cleanshutdown", []) }
      let store = try Store.openBlocking(
        "/data", config: Self.config(), disk: disk, logger: .silent)
      let log = try #require(store.logs.first)
      let batches = try LogModel.content(of: log)
      let stated = manifest.segments.flatMap(\.batches)
      #expect(batches.map(\.baseOffset) == stated.map(\.baseOffset), "\(manifest.path)")
      #expect(batches.map { $0.nextOffset - 1 } == stated.map(\.lastOffset))
      #expect(batches.map(\.bytes.count) == stated.map(\.size))
      #expect(log.logEndOffset == manifest.logEndOffset && !log.recovery.isEventful)
    }
  }
}

/// Runs `body` with a fresh directory that goes away afterwards.
func withTemporaryDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
  let url = FileManager.default.temporaryDirectory.appending(
    path: "mkstore-\(UUID().uuidString)", directoryHint: .isDirectory)
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  defer {
    do { try FileManager.default.removeItem(at: url) } catch { Issue.record("\(error)") }
  }
  let path = url.path(percentEncoded: false)
  return try body(path.hasSuffix("/") ? String(path.dropLast()) : path)
}
