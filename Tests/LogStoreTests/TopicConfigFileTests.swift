import DiskIO
import Glibc
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// `mkstore.topic` rotten, cut, edited by hand or gone bad with its disk: no setting is dropped
/// without a word.
struct TopicConfigFileTests {
  private static let path = "/data/a-0/\(TopicConfigFile.name)"
  private static let values = ["cleanup.policy": "compact", "max.message.bytes": "300"]

  /// A store that holds `a-0` with settings and one record, and the file as it was written.
  private func store() throws -> (SimulatedDisk, file: [UInt8]) {
    let disk = SimulatedDisk(seed: 1)
    let store = try Store.openBlocking(
      "/data", config: ProducerFixture.config(), disk: disk, logger: .silent)
    let log = try store.createLogBlocking(
      ProducerFixture.partition(), overrides: TopicConfig(Self.values))
    try log.appendBlocking([NewRecord(keyed)])
    try store.closeBlocking()
    return (disk, try #require(disk.contents(of: Self.path)))
  }

  private let keyed = Record(offset: 0, timestamp: 1, key: [1], value: [2])

  /// What an opened log makes of its settings.
  private enum Outcome: Equatable {
    case asWritten
    case refused(String)
    case other(String)
  }

  private func outcome(_ disk: SimulatedDisk) throws -> Outcome {
    let (store, log) = try ProducerFixture.open(disk)
    defer { try? store.closeBlocking() }
    // Reads go on whatever the settings are.
    guard try LogReader(log).record(at: 0)?.value == [2] else { return .other("no record") }
    let end = log.logEndOffset
    do {
      try log.appendBlocking([NewRecord(keyed)])
    } catch {
      guard case .settingsUnreadable(let path, let reason) = error.kind else { throw error }
      guard path == Self.path, log.logEndOffset == end, log.settingsFault != nil else {
        return .other("\(path) \(log.logEndOffset)")
      }
      return .refused(reason)
    }
    return log.overrides.values == Self.values ? .asWritten : .other("\(log.overrides.values)")
  }

  private func change(_ disk: SimulatedDisk, to bytes: [UInt8]) throws -> SimulatedDisk {
    let copy = disk.crash(.keepAll)
    try copy.install(Self.path, bytes)
    return copy
  }

  @Test func oneFlippedBitStopsAppendsOrChangesNothing() throws {
    let (disk, file) = try store()
    var refused = 0
    for position in file.indices {
      for bit in 0..<8 {
        var bytes = file
        bytes[position] ^= 1 << bit
        do throws(CheckpointError) {
          let found = try TopicConfigFile.decode(bytes, path: Self.path)
          #expect(found.config.values == Self.values, "byte \(position), bit \(bit)")
        } catch {
          refused += 1
        }
      }
      // One bit of each byte through a whole opening.
      var bytes = file
      bytes[position] ^= 1 << (position % 8)
      if case .other(let what) = try outcome(try change(disk, to: bytes)) {
        Issue.record("byte \(position), bit \(position % 8): \(what)")
      }
    }
    #expect(refused >= CheckedText(file).text.count * 8)
  }

  @Test func aCutFileStopsAppends() throws {
    let (disk, file) = try store()
    for count in file.indices {
      let found = try outcome(try change(disk, to: Array(file[..<count])))
      guard case .refused = found else {
        Issue.record("\(count) bytes: \(found)")
        continue
      }
    }
  }

  @Test(arguments: [
    ("", "holds no setting"), ("# of the orders\n", "holds no setting"),
    ("cleanup.policy=compact\nretention.hours=7\n", "retention.hours"),
    ("cleanup.policy=compacted\n", "compacted"), ("\u{0}\u{0}\u{0}", "no setting of a topic"),
  ])
  func whatCannotBeASettingStopsAppends(_ text: String, _ reason: String) throws {
    let (disk, _) = try store()
    guard case .refused(let told) = try outcome(try change(disk, to: Array(text.utf8))) else {
      Issue.record("\(text) was taken")
      return
    }
    #expect(told.contains(reason), "\(told)")
  }

  @Test func aFileThatTheDiskDoesNotGiveStopsAppends() throws {
    for operation in [DiskError.Operation.open, .read] {
      let (disk, _) = try store()
      disk.plan(
        FaultPlan(
          .error(EIO), at: 1, isForEver: true, operations: [operation],
          pathSuffix: TopicConfigFile.name))
      guard case .refused = try outcome(disk) else {
        Issue.record("appended although \(operation) failed")
        continue
      }
      #expect(disk.faultFired)
    }
    let disk = try store().0
    try disk.remove(Self.path)
    try disk.installDirectory(Self.path)
    #expect(try outcome(disk) == .refused("is not a regular file"))
  }

  @Test func aFileWrittenByHandIsReadAndGetsAChecksum() throws {
    let (disk, file) = try store()
    let text = "# of the orders\nmax.message.bytes=300\ncleanup.policy = compact\n"
    let edited = try change(disk, to: Array(text.utf8))
    #expect(try outcome(edited) == .asWritten)
    let checked = try #require(edited.contents(of: Self.path))
    #expect(CheckedText(checked).check == .right)
    #expect(CheckedText(checked).text == Array(text.utf8))
    #expect(try outcome(edited) == .asWritten)
    #expect(edited.contents(of: Self.path) == checked)
    // A change that leaves the line is no change that is trusted; without the line it is.
    let changed = file + Array("retention.ms=1\n".utf8)
    guard case .refused(let reason) = try outcome(try change(disk, to: changed)) else {
      Issue.record("a wrong CRC was taken")
      return
    }
    #expect(reason.contains("CRC"))
    let mended = try change(disk, to: CheckedText(file).text)
    #expect(try outcome(mended) == .asWritten)
    #expect(mended.contents(of: Self.path) == file)
  }

  @Test func aFullDiskHoldsNoSettingsUp() throws {
    let (disk, file) = try store()
    let edited = try change(disk, to: CheckedText(file).text)
    edited.plan(
      FaultPlan(
        .error(ENOSPC), at: 1, isForEver: true, operations: [.write],
        pathSuffix: "\(TopicConfigFile.name).tmp"))
    let (_, log) = try ProducerFixture.open(edited)
    #expect(edited.faultFired)
    #expect(log.overrides.values == Self.values && log.settingsFault == nil)
    #expect(log.recovery.notes.contains { $0.contains("CRC") })
  }

  @Test func aTopicIsStoppedAsAWholeAndOthersAreNot() throws {
    let disk = SimulatedDisk(seed: 1)
    var store = try Store.openBlocking(
      "/data", config: ProducerFixture.config(), disk: disk, logger: .silent)
    for name in ["a-0", "a-1", "b-0"] {
      _ = try store.createLogBlocking(
        TopicPartition(directoryName: name), overrides: TopicConfig(Self.values))
    }
    try store.closeBlocking()
    try disk.install("/data/a-1/\(TopicConfigFile.name)", Array("cleanup.policy=\n".utf8))
    store = try Store.openBlocking(
      "/data", config: ProducerFixture.config(), disk: disk, logger: .silent)
    for log in store.logs {
      guard log.topicPartition.topic == "a" else {
        #expect(try log.appendBlocking([NewRecord(keyed)]).baseOffset == 0)
        continue
      }
      let error = #expect(throws: LogError.self) { try log.appendBlocking([NewRecord(keyed)]) }
      #expect(error.map { "\($0)" }?.contains("a-1/") == true)
    }
    #expect(throws: LogError.self) {
      try store.createLogBlocking(TopicPartition(directoryName: "a-2"))
    }
    try store.deleteTopicBlocking("a")
    let again = try store.createLogBlocking(TopicPartition(directoryName: "a-1"))
    try again.appendBlocking([NewRecord(keyed)])
  }
}
