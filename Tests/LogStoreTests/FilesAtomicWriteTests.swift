import DiskIO
import Glibc
import LogStore
import StoreTesting
import Testing

/// P10: a side file is replaced whole or not at all, whenever the power fails.
struct FilesAtomicWriteTests {
  private let old = [UInt8]("0\n1\na 0 1\n".utf8)
  private let path = "/logs/replication-offset-checkpoint"

  @Test func aPowerCutAnywhereLeavesTheOldContentOrTheNew() throws {
    let checkpoint = try OffsetCheckpoint([TopicPartition(topic: "a", partition: 0): 2])
    var cuts = 0
    for operation in 1... {
      let disk = SimulatedDisk()
      try disk.install(path, old)
      // What an earlier crash between create and rename leaves.
      try disk.install(path + ".tmp", [1, 2, 3])
      disk.plan(.powerCut(at: operation))
      var isAcknowledged = false
      do {
        try checkpoint.write(disk, directory: "/logs", .highWatermark)
        isAcknowledged = true
      } catch {
        #expect(disk.isCut, "\(error)")
      }
      for mode in disk.crashes(exhaustiveMax: 8, samples: 50) {
        let found = disk.crash(mode).contents(of: path)
        let isRight = found == checkpoint.encoded || (!isAcknowledged && found == old)
        #expect(isRight, "cut at \(operation), \(mode)")
      }
      if !disk.faultFired { break }
      cuts += 1
    }
    #expect(cuts == 6, "remove, create, write, sync, rename, syncDirectory")
  }

  @Test func aFailedSyncIsToldAndTheOldContentStays() throws {
    let disk = SimulatedDisk()
    try disk.install(path, old)
    disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.sync]))
    #expect(throws: DiskError(.sync, path + ".tmp", code: EIO)) {
      try OffsetCheckpoint().write(disk, directory: "/logs", .highWatermark)
    }
    #expect(disk.contents(of: path) == old)
  }

  @Test func theCleanShutdownMarkIsGoneForCertainOnceRemoved() throws {
    let disk = SimulatedDisk()
    try disk.installDirectory("/logs")
    try CleanShutdownFile.write(disk, directory: "/logs")
    #expect(disk.crash(.loseAllUnsynced).contents(of: "/logs/.kafka_cleanshutdown") != nil)
    try CleanShutdownFile.remove(disk, directory: "/logs")
    #expect(disk.crash(.loseAllUnsynced).contents(of: "/logs/.kafka_cleanshutdown") == nil)
    let before = disk.operationCount
    try CleanShutdownFile.remove(disk, directory: "/logs")
    #expect(disk.operationCount == before, "nothing there: nothing to do")
  }

  /// But for the broker's epoch, which a store of ours does not have.
  @Test func theCleanShutdownMarkIsAsKafkaWritesIt() throws {
    let path = SharedVectors.logdir + "/clean/.kafka_cleanshutdown"
    let written = String(decoding: try SharedVectors.bytes(path), as: UTF8.self)
    let ours = String(decoding: CleanShutdownFile.content, as: UTF8.self)
    #expect(written.replacing(/-?[0-9]+\}/, with: "-1}") == ours)
  }
}
