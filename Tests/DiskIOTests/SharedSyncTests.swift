import DiskIO
import Glibc
import StoreTesting
import Testing

/// One sync for everything, simulated; `MountTests` has the real one.
@Suite struct SharedSyncTests {
  @Test func aSharedSyncMakesContentsAndNamesDurable() throws {
    let disk = SimulatedDisk(seed: 3)
    try disk.installDirectory("/d")
    let shared = try #require(try disk.sharedSync(of: "/d"))
    try disk.makeDirectory("/d/e")
    let files = try ["/d/a", "/d/e/b"].map { try disk.open($0, .create) }
    for file in files { try file.write([1, 2, 3]) }
    try disk.open("/d/c", .create).write([4])
    try disk.rename("/d/c", to: "/d/e/c")
    for file in files { try file.writeOut() }
    #expect(!disk.unsyncedItems.isEmpty, "writing out makes nothing durable")
    try shared.sync()
    #expect(disk.unsyncedItems.isEmpty)
    let after = disk.crash(.loseAllUnsynced)
    #expect(after.paths == ["/d/a", "/d/e/b", "/d/e/c"])
    #expect(after.contents(of: "/d/e/b") == [1, 2, 3])
    #expect(disk.counters.calls[.syncFileSystem] == 1 && disk.counters.calls[.sync] == nil)
  }

  /// What a failed one leaves: each file is durable, still to be synced, or in error; the file's
  /// own sync tells which, and an error only once.
  @Test func afterAFailedSharedSyncEachFileTellsItsOwnError() throws {
    var (lost, kept) = (0, 0)
    for seed in 0..<20 as Range<UInt64> {
      let disk = SimulatedDisk(seed: seed)
      try disk.installDirectory("/d")
      let shared = try #require(try disk.sharedSync(of: "/d"))
      let files = try (0..<4).map { try disk.open("/d/\($0)", .create) }
      try disk.syncDirectory("/d")
      for file in files { try file.write([9, 9]) }
      disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.syncFileSystem]))
      #expect(failure { try shared.sync() }?.code == EIO)
      #expect(disk.faultFired)
      for (index, file) in files.enumerated() {
        let error = failure { try index % 2 == 0 ? file.sync() : file.checkWritten() }
        if error == nil { try file.sync() }
        let isDurable = disk.durableContents(of: "/d/\(index)") == [9, 9]
        #expect(isDurable == (error == nil), "seed \(seed), file \(index)")
        if error == nil { kept += 1 } else { lost += 1 }
        #expect(failure { try file.sync() } == nil)
      }
    }
    #expect(lost > 10 && kept > 10)
  }

  @Test func aSharedSyncIsCountedOnItsWayThrough() throws {
    let disk = SimulatedDisk(seed: 4)
    try disk.installDirectory("/d")
    let counting = CountingDisk(disk)
    let shared = try #require(try counting.sharedSync(of: "/d"))
    let file = try counting.open("/d/a", .create)
    try file.writeOut()
    try shared.sync()
    #expect(counting.counters.calls[.syncFileSystem] == 1)
    #expect(counting.counters.calls[.writeOut] == 1)
    disk.pendingBytes = 77
    #expect(try shared.pendingBytes == 77 && shared.covers("/d"))
  }

  /// Whatever file system the tests run on, an answer is given; where there is a shared sync it
  /// works, and it says what the machine has still to write.
  @Test func theRealOneAnswers() throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let disk = PosixDisk()
    try disk.put("\(directory.path)/a", [1])
    #expect(failure { _ = try disk.sharedSync(of: "\(directory.path)/none") }?.code == ENOENT)
    guard let shared = try disk.sharedSync(of: "\(directory.path)/a") else { return }
    #expect(try shared.covers(directory.path))
    #expect(failure { _ = try shared.covers("\(directory.path)/none") } == nil)
    let pending = try #require(shared.pendingBytes)
    #expect(pending >= 0)
    try shared.sync()
  }
}
