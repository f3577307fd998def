import StoreTesting
import Testing

@testable import LogStore

/// Settings that no store can work with are refused before anything is made.
@Suite struct StoreConfigTests {
  private static let wrong: [(name: String, change: @Sendable (inout StoreConfig) -> Void)] = [
    ("checkpointIntervalMs", { $0.checkpointIntervalMs = 0 }),
    ("checkpointIntervalMs", { $0.checkpointIntervalMs = Int.max }),
    ("openSegmentsMax", { $0.openSegmentsMax = 0 }),
    ("flusherThreadsMax", { $0.flusherThreadsMax = 0 }),
    ("sharedSyncMin", { $0.sharedSyncMin = -1 }),
    ("journalLogsMin", { $0.journalLogsMin = -1 }),
    ("journalBytesMax", { $0.journalBytesMax = 1000 }),
    ("loaderThreads", { $0.loaderThreads = 0 }),
    ("producerExpirationMs", { $0.producerExpirationMs = 0 }),
    ("segmentBytes", { $0.log.segmentBytes = 13 }),
  ]

  @Test(arguments: wrong.indices) func settingsThatCannotBeAreRefused(_ index: Int) throws {
    let (name, change) = Self.wrong[index]
    var config = CrashStore.config()
    change(&config)
    let disk = SimulatedDisk(seed: 1)
    do throws(LogError) {
      _ = try Store.openBlocking(CrashStore.path, config: config, disk: disk, logger: .silent)
      Issue.record("\(name) was taken")
    } catch {
      guard case .invalidConfiguration(name, _) = error.kind else { throw error }
    }
    #expect(disk.paths.isEmpty)
  }
}
