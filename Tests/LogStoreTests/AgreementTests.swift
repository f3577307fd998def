import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// Whatever is in a directory, `verify`, the dry run, the run and `verify` after it tell the same:
/// the damaged ranges with the same offsets and words, and what is done to which file.
///
/// `AGREEMENT_COUNT` sets how many directories are tried, `SEED` the first of them.
@Suite struct AgreementTests {
  /// Sound stores: one of ours, killed and closed, and those of brokers.
  private static func stores() throws -> [[String: [UInt8]]] {
    var stores: [[String: [UInt8]]] = []
    for closes in [true, false] {
      let sample = try RecoverySample(closes: closes)
      stores.append(content(of: closes ? sample.disk : sample.disk.kill()))
    }
    for manifest in try LogdirManifest.all() where manifest.path.hasPrefix("clean/") {
      let log = try SmallLog(String(manifest.path.dropFirst("clean/".count)))
      let name = PathText.lastComponent(log.path)
      var files: [String: [UInt8]] = [:]
      for (file, bytes) in log.files { files["\(MutatedDirectory.store)/\(name)/\(file)"] = bytes }
      stores.append(files)
    }
    return stores
  }

  private static func content(of disk: SimulatedDisk) -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for path in disk.paths {
      if let bytes = disk.contents(of: path) { files[path] = bytes }
    }
    return files
  }

  @Test func everyCommandTellsTheSame() throws {
    let seed = Seed.fromEnvironment(else: 1)
    let stores = try Self.stores()
    let count = environmentNumber("AGREEMENT_COUNT") ?? 300
    for number in 0..<count {
      let value = seed.value &+ UInt64(number)
      var random = SeededGenerator(seed: value)
      let files = stores[random.index(below: stores.count)]
      let directory = try MutatedDirectory(files, isKilled: random.chance(0.5), seed: value)
      let place = "SEED=\(value) AGREEMENT_COUNT=1: \(directory.faults)"
      try Agreement(directory.disk, place).check()
    }
  }
}

/// One directory, looked at by every command in turn.
private struct Agreement {
  private let disk: SimulatedDisk
  private let place: String

  init(_ disk: SimulatedDisk, _ place: String) {
    self.disk = disk
    self.place = place
  }

  func check() throws {
    let before = try verify()
    let files = content()
    var config = CrashStore.config()
    config.surveyDepth = .deep
    let manager = try LogManager.open(
      MutatedDirectory.store, config: config, disk: disk, logger: .silent)
    let reports = manager.report.logs.map(\.recovery)
    guard manager.report.failed.isEmpty else {
      #expect(!before.unreadable.isEmpty, "\(place): failed \(manager.report.failed)")
      return
    }
    try manager.close()
    let after = try verify()
    let told = Set(before.damage)
    #expect(Set(reports.flatMap(\.damage)) == told, "\(place): the run against \(told)")
    #expect(Set(after.damage) == told, "\(place): after against \(told)")
    #expect(after.hasDamage == before.hasDamage, "\(place): \(before.summary), \(after.summary)")
    #expect(after.tornTails.isEmpty, "\(place)")
    #expect(
      after.sideFileDamage.allSatisfy { !$0.isMendedByOpen }, "\(place): \(after.sideFileDamage)")
    compare(before.plans.map(\.report), reports)
    compare(files, with: reports)
  }

  private func verify() throws -> VerificationReport {
    var options = VerificationOptions()
    options.depth = .deep
    options.threadCount = 1
    return try LogVerifier(disk, options).verify([MutatedDirectory.store])
  }

  private func content() -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for path in disk.paths { files[path] = disk.contents(of: path) }
    return files
  }

  /// The dry run against the run.
  private func compare(_ foreseen: [RecoveryReport], _ done: [RecoveryReport]) {
    #expect(foreseen.count == done.count, "\(place)")
    for (foreseen, done) in zip(foreseen, done) {
      func cuts(_ report: RecoveryReport) -> [String] {
        report.cuts.map { "\($0.file) \($0.position) \($0.bytes) \($0.reason) \($0.isWholeFile)" }
      }
      #expect(cuts(foreseen) == cuts(done), "\(place)")
      #expect(foreseen.removedFiles == done.removedFiles, "\(place)")
      #expect(foreseen.rebuiltIndexes == done.rebuiltIndexes, "\(place)")
      #expect(foreseen.logEndOffset == done.logEndOffset, "\(place)")
    }
  }

  /// What was told against what the disk shows.
  private func compare(_ before: [String: [UInt8]], with reports: [RecoveryReport]) {
    let gone = Set(reports.flatMap(\.removedFiles))
    let aside = Set(reports.flatMap(\.cuts).map(\.file))
    let rebuilt = Set(reports.flatMap(\.rebuiltIndexes))
    let ends = Set(reports.map(\.logEndOffset))
    let now = content()
    for (path, bytes) in before where path.split(separator: "/").count > 2 {
      let after = now[path]
      let isBeside = gone.contains(path) || aside.contains { besides($0).contains(path) }
      if path.hasSuffix(".log") || path.hasSuffix(".swap") || path.hasSuffix(".deleted") {
        #expect(after == bytes || isBeside || isRenamed(path), "\(place): \(path) changed untold")
      } else if path.hasSuffix("index") {
        let used = trimmed(bytes)
        let isSame = after.map { trimmed($0).starts(with: used) || used.starts(with: trimmed($0)) }
        #expect(
          isSame ?? false || isBeside || rebuilt.contains(path) || isReplaced(path),
          "\(place): \(path) changed untold")
      } else if path.hasSuffix(".snapshot") {
        // A close writes one at the log's end, and the newest before goes with that.
        let isClosing = ends.contains {
          now["\(PathText.parent(path))/\(SegmentName($0, .snapshot).fileName)"] != nil
        }
        #expect(
          after == bytes || gone.contains(path) || isClosing, "\(place): \(path) changed untold")
      }
    }
  }

  private func isRenamed(_ path: String) -> Bool { path.hasSuffix(".swap") }

  private func isReplaced(_ path: String) -> Bool { disk.contents(of: "\(path).swap") != nil }

  /// The files that go with a `.log` that is kept aside.
  private func besides(_ log: String) -> [String] {
    let stem = log.split(separator: ".").first.map(String.init) ?? log
    return [log] + ["index", "timeindex", "txnindex"].map { "\(stem).\($0)" }
  }

  private func trimmed(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
    bytes[..<(bytes.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0)]
  }
}
