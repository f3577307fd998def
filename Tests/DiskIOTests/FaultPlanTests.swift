import DiskIO
import Glibc
import StoreTesting
import Testing

/// What planned faults do on `SimulatedDisk`.
@Suite struct FaultPlanTests {
  /// Five changing operations (create, write, sync, write, rename), with reads between.
  func scenario(_ disk: SimulatedDisk) throws {
    let file = try disk.open("/a", .create)
    try file.write([1, 2, 3, 4])
    _ = try file.size()
    try file.sync()
    _ = try file.bytes(2)
    try file.write([5], at: 4)
    try disk.rename("/a", to: "/b")
  }

  @Test func eachChangingOperationCanFailOnce() throws {
    var k = 1
    var failed: [DiskError.Operation] = []
    while true {
      let disk = SimulatedDisk()
      disk.plan(.error(EIO, at: k))
      let error = failure { try scenario(disk) }
      guard disk.faultFired else {
        #expect(error == nil)
        #expect(disk.operationCount == 5)
        break
      }
      #expect(disk.operationCount == k)
      #expect(error?.code == EIO)
      failed.append(try #require(error).operation)
      k += 1
    }
    #expect(failed == [.create, .write, .sync, .write, .rename])
  }

  @Test func eachCallCanFailWhenReadsCountToo() throws {
    for k in 1...7 {
      let disk = SimulatedDisk()
      disk.plan(FaultPlan(.error(EMFILE), at: k, operations: DiskError.Operation.all))
      #expect(failure { try scenario(disk) }?.code == EMFILE)
      #expect(disk.counters.callCount == k)
    }
  }

  @Test func aFaultHitsOnceOrForEver() throws {
    let disk = SimulatedDisk()
    try disk.install("/a", [])
    let file = try disk.open("/a", .readWrite)
    disk.plan(FaultPlan(.error(ENOSPC), at: 2, operations: [.write]))
    #expect(code { try file.write([1]) } == nil)
    #expect(code { try file.write([1]) } == ENOSPC)
    #expect(code { try file.write([1]) } == nil)
    #expect(disk.faultsFired == 1)
    disk.plan(FaultPlan(.error(EDQUOT), at: 1, isForEver: true, operations: [.write]))
    for _ in 0..<3 { #expect(code { try file.write([1]) } == EDQUOT) }
    disk.removeFaults()
    #expect(code { try file.write([1]) } == nil)
    #expect(disk.faultsFired == 4)
  }

  @Test func aFaultCanBeBoundToAPath() throws {
    let disk = SimulatedDisk()
    disk.plan(FaultPlan(.error(EIO), at: 1, isForEver: true, pathSuffix: ".index"))
    try disk.put("/a.log", [1])
    #expect(failure { try disk.put("/a.index") } == DiskError(.create, "/a.index", code: EIO))
    #expect(disk.paths == ["/a.log"])
  }

  @Test func aFailedCallChangesNothing() throws {
    let disk = SimulatedDisk()
    try disk.install("/a", [1, 2, 3])
    let file = try disk.open("/a", .readWrite)
    disk.plan(FaultPlan(.error(EIO), at: 1, isForEver: true))
    #expect(code { try file.write([9]) } == EIO)
    #expect(code { try file.truncate(to: 0) } == EIO)
    #expect(code { try file.allocate(to: 100) } == EIO)
    #expect(code { try disk.remove("/a") } == EIO)
    #expect(code { try disk.rename("/a", to: "/b") } == EIO)
    #expect(code { try disk.makeDirectory("/d") } == EIO)
    #expect(code { _ = try disk.lock("/.lock") } == EIO)
    #expect(disk.contents(of: "/a") == [1, 2, 3])
    #expect(disk.paths == ["/a"])
    #expect(disk.unsyncedItems.isEmpty)
  }

  @Test func aShortWriteLeavesAPrefix() throws {
    let disk = SimulatedDisk()
    try disk.install("/a", [])
    let file = try disk.open("/a", .readWrite)
    disk.plan(FaultPlan(.shortWrite(ENOSPC, bytes: 3), at: 1))
    #expect(code { try file.write([1, 2, 3, 4, 5]) } == ENOSPC)
    #expect(disk.contents(of: "/a") == [1, 2, 3])

    var sizes: Set<Int> = []
    for seed in 0..<100 as Range<UInt64> {
      let disk = SimulatedDisk(seed: seed)
      try disk.install("/a", [])
      disk.plan(FaultPlan(.shortWrite(EIO, bytes: nil), at: 1))
      #expect(code { try disk.open("/a", .readWrite).write([1, 2, 3, 4]) } == EIO)
      sizes.insert(disk.contents(of: "/a")!.count)
    }
    #expect(sizes == [0, 1, 2, 3])
  }

  @Test func afterAPowerCutNothingWorks() throws {
    let disk = SimulatedDisk()
    try disk.install("/a", [UInt8](repeating: 0, count: 4_096))
    let file = try disk.open("/a", .readWrite)
    let region = try file.map(capacity: 4_096, writable: true)
    try region.store(bigEndian: UInt8(1), at: 0)
    disk.plan(.powerCut(at: 2))
    try file.write([2], at: 1)
    #expect(!disk.isCut)
    #expect(code { try file.write([3], at: 2) } == EIO)
    #expect(disk.isCut && disk.faultFired)
    try region.store(bigEndian: UInt8(9), at: 3)
    #expect(code { try file.sync() } == EIO)
    #expect(code { _ = try file.bytes(1) } == EIO)
    #expect(code { _ = try file.size() } == EIO)
    #expect(code { _ = try disk.status("/a") } == EIO)
    #expect(code { _ = try disk.list("/") } == EIO)

    let after = disk.crash(.keepAll)
    #expect(try after.contents("/a").prefix(4) == [1, 2, 0, 0])
    #expect(disk.crash(.loseAllUnsynced).contents(of: "/a")!.allSatisfy { $0 == 0 })
  }

  @Test func aFailedSyncIsNeverMadeGoodByALaterOne() throws {
    let disk = SimulatedDisk()
    try disk.install("/a", [])
    let file = try disk.open("/a", .readWrite)
    try file.write([UInt8](repeating: 1, count: 1_024))
    disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.sync]))
    #expect(code { try file.sync() } == EIO)
    try file.sync()
    #expect(try file.contents() == [UInt8](repeating: 1, count: 1_024), "still in the page cache")
    #expect(disk.crash(.loseAllUnsynced).contents(of: "/a") == [])
    // What is written again is dirty again, and only that.
    try file.write([UInt8](repeating: 2, count: 512), at: 512)
    try file.sync()
    #expect(
      disk.crash(.loseAllUnsynced).contents(of: "/a")
        == [UInt8](repeating: 0, count: 512) + [UInt8](repeating: 2, count: 512))
    #expect(disk.unsyncedItems == [.sector(path: "/a", 0)])
  }

  @Test func aFailedSyncDropsMappedStoresToo() throws {
    let disk = SimulatedDisk()
    try disk.install("/a", [UInt8](repeating: 0, count: 4_096))
    let file = try disk.open("/a", .readWrite)
    let region = try file.map(capacity: 4_096, writable: true)
    try region.store(bigEndian: UInt8(1), at: 0)
    disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.sync]))
    #expect(code { try file.sync() } == EIO)
    try region.store(bigEndian: UInt8(2), at: 1_000)
    try file.sync()
    let durable = try #require(disk.durableContents(of: "/a"))
    #expect(durable[0] == 0 && durable[1_000] == 2)
  }

  @Test func aFailedDirectorySyncIsNeverMadeGoodByALaterOne() throws {
    let disk = SimulatedDisk()
    try disk.put("/a")
    disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.syncDirectory]))
    #expect(code { try disk.syncDirectory("/") } == EIO)
    try disk.put("/b")
    try disk.syncDirectory("/")
    #expect(disk.crash(.loseAllUnsynced).paths == ["/b"])
    #expect(try disk.names("/") == ["a", "b"])
  }

  @Test func aFullDiskRefusesWhatDoesNotFit() throws {
    let disk = SimulatedDisk(capacityBytes: 4 * 4_096)
    let file = try disk.open("/a", .create)
    #expect(code { try file.allocate(to: 5 * 4_096) } == ENOSPC)
    #expect(try file.size() == 0)
    try file.allocate(to: 3 * 4_096)
    #expect(try disk.space("/").availableBytes == 4_096)
    try file.write([UInt8](repeating: 1, count: 3 * 4_096))
    let other = try disk.open("/b", .create)
    #expect(code { try other.write([UInt8](repeating: 2, count: 5_000)) } == ENOSPC)
    #expect(try other.size() == 4_096, "what fitted")
    #expect(code { _ = try disk.open("/c", .create) } == ENOSPC)
    #expect(code { try disk.makeDirectory("/d") } == ENOSPC)
    try other.write([3], at: 4_095)
    try file.truncate(to: 4_096)
    #expect(try disk.space("/").availableBytes == 2 * 4_096)
    try other.write([3], at: 4_096)
  }

  @Test func aRemovedFileGivesItsSpaceBackOnceItIsClosed() throws {
    let disk = SimulatedDisk(capacityBytes: 4_096)
    var file: (any DiskFile)? = try disk.open("/a", .create)
    try file?.write([1])
    try disk.remove("/a")
    try disk.syncDirectory("/")
    #expect(try disk.space("/").availableBytes == 0)
    file = nil
    try disk.syncDirectory("/")
    #expect(try disk.space("/").availableBytes == 4_096)
  }

  @Test func openFilesCanBeLimited() throws {
    let disk = SimulatedDisk()
    try disk.install("/a", [])
    disk.openFilesMax = 2
    let first = try disk.open("/a", .read)
    var second: (any DiskFile)? = try disk.open("/a", .read)
    #expect(
      failure { _ = try disk.open("/a", .read) } == DiskError(.open, "/a", code: EMFILE))
    #expect(failure { _ = try disk.open("/b", .create) }?.code == EMFILE)
    #expect(disk.paths == ["/a"])
    second = nil
    #expect(second == nil)
    _ = try disk.open("/a", .read)
    withExtendedLifetime(first) {}
  }

  @Test func theTraceNamesEachCallInOrder() throws {
    let disk = SimulatedDisk()
    disk.setTracing(true)
    try scenario(disk)
    #expect(
      disk.trace.map(\.description) == [
        "create /a", "write /a", "size /a", "sync /a", "read /a", "write /a", "rename /a",
      ])
    disk.setTracing(false)
    #expect(disk.trace.isEmpty)
  }

  @Test(arguments: DiskUnderTest.allCases)
  func countersTellWhatWasReadAndWhatIsOpen(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { base, directory in
      let disk = CountingDisk(base)
      let path = "\(directory)/a"
      func use() throws {
        let file = try disk.open(path, .create)
        try file.write([UInt8](repeating: 1, count: 5_000))
        let reader = try disk.open(path, .read)
        #expect(try reader.bytes(3_000, at: 4_000).count == 1_000)
        #expect(try file.bytes(10).count == 10)
        let region = try file.map(capacity: 4_096, writable: true)
        #expect(disk.counters.openFiles == 2)
        #expect(disk.counters.mappings == 1)
        #expect(try region.load(bigEndian: UInt8.self, at: 4_095) == 1)
      }
      try use()
      let counters = disk.counters
      #expect(counters.openFiles == 0 && counters.openFilesPeak == 2)
      #expect(counters.mappings == 0 && counters.mappingsPeak == 1)
      #expect(counters.bytesRead == 1_010)
      #expect(counters.bytesReadByPath == [path: 1_010])
      #expect(counters.bytesWritten == 5_000)
      #expect(counters.calls == [.create: 1, .open: 1, .write: 1, .read: 2, .map: 1])
      #expect(counters.changingCallCount == 2)
      if let simulated = base as? SimulatedDisk { #expect(simulated.counters == counters) }
    }
  }
}
