import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// One flipped bit in any file beside the segments loses no record for any command; opening
/// rebuilds what the log itself tells, and says what an operator has to do about the rest.
@Suite struct SideFileBitTests {
  /// A small store of ours.
  private struct StoppedStore {
    let sample: RecoverySample
    let disk: SimulatedDisk
    /// What an opening without a fault leaves.
    let reopened: SimulatedDisk

    init(isClosed: Bool) throws {
      sample = try RecoverySample(batches: 7, closes: isClosed)
      disk = sample.disk.kill()
      reopened = disk.kill()
      try SideFileBitTests.open(reopened).manager.closeBlocking()
    }

    /// Every file but the segments, the mark and the markers without content.
    var files: [String] {
      disk.paths.filter { path in
        !path.hasSuffix(".log") && !path.hasSuffix(DurableMark.fileName)
          && !path.hasSuffix(CleanShutdownFile.name) && !path.hasSuffix(".lock")
      }
    }
  }

  /// In each byte one bit, another one from byte to byte.
  @Test(arguments: [true, false]) func aBitOfEveryByteOfEverySideFile(_ isClosed: Bool) throws {
    let store = try StoppedStore(isClosed: isClosed)
    #expect(store.files.count > 6)
    for path in store.files {
      let bytes = try #require(store.disk.contents(of: path))
      // An open index goes on with zeros, of which the first entry and the last byte will do.
      let used = (bytes.lastIndex { $0 != 0 } ?? -1) + 12
      for index in bytes.indices where index <= used || index == bytes.count - 1 {
        var turned = bytes
        turned[index] ^= 1 << UInt8((index * 5 + 2) % 8)
        try check(store, path, turned, "\(path) byte \(index), now \(turned[index])")
      }
    }
  }

  private func check(
    _ store: StoppedStore, _ path: String, _ turned: [UInt8], _ place: Comment
  ) throws {
    let disk = store.disk.kill()
    try disk.install(path, turned)
    let before = try verify(disk)
    #expect(before.damage.isEmpty && before.unreadable.isEmpty, place)
    let lasting = before.sideFileDamage.filter { !$0.isMendedByOpen }
    #expect(lasting.allSatisfy { $0.file == path && $0.remedy?.isEmpty == false }, place)

    let opened = try Self.open(disk)
    let recovery = opened.log.recovery
    #expect(recovery.damage.isEmpty && recovery.cuts.isEmpty, place)
    #expect(opened.log.logEndOffset == store.sample.end, place)
    let content = try LogModel.content(of: opened.log)
    #expect(content.map(\.bytes) == store.sample.content.map(\.bytes), place)
    try opened.manager.closeBlocking()

    let after = try verify(disk)
    #expect(after.damage.isEmpty && after.sideFileDamage == lasting, place)
    if isMadeAnew(path) {
      #expect(disk.contents(of: path) == store.reopened.contents(of: path), place)
    }
  }

  /// What the log itself tells to the last byte.
  private func isMadeAnew(_ path: String) -> Bool {
    path.hasSuffix(LeaderEpochCheckpoint.name)
      || path.hasSuffix(OffsetCheckpoint.Name.recoveryPoint.rawValue)
  }

  private static func open(_ disk: SimulatedDisk) throws -> CrashStore {
    var config = CrashStore.config(segmentBytes: 500)
    config.surveyDepth = .deep
    return try CrashStore(disk, config, creates: false)
  }

  private func verify(_ disk: SimulatedDisk) throws -> VerificationReport {
    var options = VerificationOptions()
    options.depth = .deep
    options.threadCount = 1
    return try LogVerifier(disk, options).verify([CrashStore.path])
  }
}
