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
    try CleanShutdownFile(brokerEpoch: 7).write(disk, directory: "/logs")
    #expect(try CleanShutdownFile.read(disk, directory: "/logs")?.brokerEpoch == 7)
    #expect(disk.crash(.loseAllUnsynced).contents(of: "/logs/.kafka_cleanshutdown") != nil)
    try CleanShutdownFile.remove(disk, directory: "/logs")
    #expect(disk.crash(.loseAllUnsynced).contents(of: "/logs/.kafka_cleanshutdown") == nil)
    #expect(try CleanShutdownFile.read(disk, directory: "/logs") == nil)
    let before = disk.operationCount
    try CleanShutdownFile.remove(disk, directory: "/logs")
    #expect(disk.operationCount == before, "nothing there: nothing to do")
  }

  @Test(arguments: [
    ("", -1), (#"{"version":0,"brokerEpoch":3657}"#, 3657), (#"{ "brokerEpoch" : -1 }"#, -1),
    ("garbage", -1), (#"{"brokerEpoch":}"#, -1), (#"{"brokerEpoch":99999999999999999999}"#, -1),
  ])
  func anyContentIsACleanShutdownMark(_ content: String, _ epoch: Int64) {
    #expect(CleanShutdownFile([UInt8](content.utf8)).brokerEpoch == epoch)
  }

  @Test func theCleanShutdownMarkIsAsKafkaWritesIt() throws {
    let path = SharedVectors.logdir + "/clean"
    let mark = try #require(try CleanShutdownFile.read(PosixDisk(), directory: path))
    #expect(try mark.encoded == SharedVectors.bytes(path + "/.kafka_cleanshutdown"))
  }
}
