import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// `mkstore.history` has at most as many lines as its setting says, the newest ones, whole.
@Suite struct RecoveryHistoryTests {
  private let disk = SimulatedDisk(seed: 33)
  private var directory: LogDirectory { LogDirectory(disk: disk, path: CrashStore.directory) }

  private func report(_ number: Int) -> RecoveryReport {
    var report = RecoveryReport(wasClean: false)
    report.rebuiltIndexes = ["index \(number)"]
    return report
  }

  /// Adds a line for each number.
  private func add(_ numbers: Range<Int>, linesMax: Int) {
    for number in numbers {
      let note = RecoveryHistory.add(
        report(number), to: directory, nowMs: Int64(number), linesMax: linesMax)
      #expect(note == nil)
    }
  }

  private func lines(_ numbers: Range<Int>) -> [String] {
    numbers.map { "\($0) rebuilt index \($0)" }
  }

  @Test(arguments: [1, 2, 5])
  func theNewestLinesStay(_ linesMax: Int) throws {
    _ = try CrashStore(disk, CrashStore.config())
    for count in [linesMax - 1, linesMax, linesMax + 1, linesMax + 4] {
      let before = try RecoveryHistory.read(directory).lines.count
      #expect(before <= linesMax)
      add(0..<count, linesMax: linesMax)
      let found = try RecoveryHistory.read(directory)
      #expect(found.isSound)
      #expect(found.lines.suffix(count) == lines(0..<count).suffix(linesMax)[...])
      #expect(found.lines.count == min(linesMax, before + count))
    }
  }

  @Test func aBoundThatWasLoweredHoldsAtTheNextOpening() throws {
    var config = CrashStore.config()
    let store = try CrashStore(disk, config)
    add(0..<9, linesMax: 200)
    try store.manager.closeBlocking()
    config.log.historyLinesMax = 4
    let again = try CrashStore(disk, config, creates: false)
    #expect(!again.log.recovery.isEventful)
    #expect(try RecoveryHistory.read(directory).lines == lines(5..<9))
  }

  @Test func aHistoryWithinItsBoundIsNotWritten() throws {
    let store = try CrashStore(disk, CrashStore.config())
    add(0..<9, linesMax: 200)
    try store.manager.closeBlocking()
    let changed = try disk.status(directory.path(RecoveryHistory.fileName))?.changedMs
    _ = try CrashStore(disk, CrashStore.config(), creates: false)
    #expect(try disk.status(directory.path(RecoveryHistory.fileName))?.changedMs == changed)
  }

  @Test func aPowerCutLeavesAllOfItOrTheNewest() throws {
    _ = try CrashStore(disk, CrashStore.config())
    add(0..<9, linesMax: 200)
    let (path, whole) = (directory.path, lines(0..<9))
    let loop = PowerCutLoop(
      exhaustiveMax: 6, samples: 20, damaged: 6, seed: Seed.fromEnvironment(else: 4))
    var trimmed = 0
    let tried = try loop.run(on: { disk.kill() }) { disk in
      _ = RecoveryHistory.add(
        RecoveryReport(wasClean: true), to: LogDirectory(disk: disk, path: path), nowMs: 0,
        linesMax: 3)
    } check: { disk, _, point in
      let found = try RecoveryHistory.read(LogDirectory(disk: disk, path: path))
      #expect(found.isSound, "\(point)")
      #expect(found.lines == whole || found.lines == whole.suffix(3), "\(point)")
      if found.lines.count == 3 { trimmed += 1 }
    }
    #expect(tried.cuts > 4 && trimmed > 0)
  }

  /// A file that has become too large to be read could never be written again.
  @Test func theFileCanAlwaysBeReadAgain() {
    let lines = ["aaaa", "bbb", "cc"]
    for (bytesMax, expected) in [(12, "aaaa\nbbb\ncc\n"), (11, "bbb\ncc\n"), (6, "cc\n"), (2, "")] {
      let text = RecoveryHistory.newest(10, of: lines, bytesMax: bytesMax)
      #expect(String(decoding: text, as: UTF8.self) == expected)
    }
  }
}
