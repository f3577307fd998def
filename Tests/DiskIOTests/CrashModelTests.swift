import DiskIO
import Glibc
import StoreTesting
import Testing

/// What a power cut on `SimulatedDisk` may and may not do.
@Suite struct CrashModelTests {
  /// All crash modes that a test tries, random ones included.
  static let someModes: [CrashMode] =
    [.loseAllUnsynced, .keepAll] + (0..<200).map { .random(seed: $0) }

  @Test func syncedContentAndNamesAlwaysSurvive() throws {
    let disk = SimulatedDisk()
    try disk.makeDirectory("/d")
    try disk.syncDirectory("/")
    let file = try disk.open("/d/a", .create)
    let bytes = (0..<5_000).map { UInt8(truncatingIfNeeded: $0) }
    try file.write(bytes)
    try file.sync()
    try disk.syncDirectory("/d")
    #expect(disk.unsyncedItems.isEmpty)
    try file.write([UInt8](repeating: 0xAA, count: 3_000), at: 5_000)
    try disk.put("/d/b", [1])

    for mode in Self.someModes {
      let after = try disk.crash(mode).contents("/d/a")
      #expect(after.prefix(5_000) == bytes[...], "\(mode)")
      #expect((5_000...8_000).contains(after.count), "\(mode)")
    }
  }

  @Test func unsyncedContentMayGoOrStay() throws {
    let disk = SimulatedDisk()
    try disk.install("/a", [1, 1, 1])
    try disk.open("/a", .readWrite).write([2, 2, 2, 2])
    #expect(disk.unsyncedItems == [.size(path: "/a", durable: 3, live: 4), .sector(path: "/a", 0)])
    #expect(disk.crash(.loseAllUnsynced).contents(of: "/a") == [1, 1, 1])
    #expect(disk.crash(.keepAll).contents(of: "/a") == [2, 2, 2, 2])
    // The two that a journal without ordering allows: size without data, and data cut short.
    #expect(disk.crash(.choices(0b01)).contents(of: "/a") == [1, 1, 1, 0])
    #expect(disk.crash(.choices(0b10)).contents(of: "/a") == [2, 2, 2])
  }

  @Test func sectorsAreLostIndependently() throws {
    let disk = SimulatedDisk()
    try disk.install("/a", [UInt8](repeating: 1, count: 1_536))
    try disk.open("/a", .readWrite).write([UInt8](repeating: 2, count: 1_536))
    let found = Set(
      disk.crashes(damaged: 0).map { mode in
        let bytes = disk.crash(mode).contents(of: "/a")!
        return stride(from: 0, to: 1_536, by: 512).map { start in
          #expect(Set(bytes[start..<(start + 512)]).count == 1, "a sector is whole")
          return bytes[start]
        }
      })
    #expect(found.count == 8)
  }

  @Test func garbageStaysWithinTheChangedBytes() throws {
    let disk = SimulatedDisk()
    try disk.install("/a", [UInt8](repeating: 1, count: 512))
    try disk.open("/a", .readWrite).write([UInt8](repeating: 2, count: 100), at: 200)
    var middles: Set<[UInt8]> = []
    for seed in 0..<500 as Range<UInt64> {
      let bytes = disk.crash(seed: seed).contents(of: "/a")!
      #expect(bytes.prefix(200).allSatisfy { $0 == 1 })
      #expect(bytes.suffix(212).allSatisfy { $0 == 1 })
      middles.insert(Array(bytes[200..<300]))
    }
    #expect(middles.contains([UInt8](repeating: 1, count: 100)), "lost")
    #expect(middles.contains([UInt8](repeating: 2, count: 100)), "kept")
    #expect(middles.contains([UInt8](repeating: 0, count: 100)), "zeroed")
    #expect(
      middles.contains { $0.first == 2 && $0.last == 1 && Set($0) == [1, 2] }, "torn")
    #expect(middles.contains { Set($0).count > 10 }, "garbage")
  }

  @Test func aCutFileMayComeBack() throws {
    let disk = SimulatedDisk()
    try disk.install("/a", [1, 2, 3, 4])
    let file = try disk.open("/a", .readWrite)
    try file.truncate(to: 1)
    #expect(disk.crash(.loseAllUnsynced).contents(of: "/a") == [1, 2, 3, 4])
    #expect(disk.crash(.keepAll).contents(of: "/a") == [1])
    try file.sync()
    #expect(disk.unsyncedItems.isEmpty)
    #expect(disk.crash(.loseAllUnsynced).contents(of: "/a") == [1])
  }

  @Test func staleBytesMayFillAFileCutAndGrownAgain() throws {
    let disk = SimulatedDisk()
    try disk.install("/a", [UInt8](repeating: 1, count: 600))
    let file = try disk.open("/a", .readWrite)
    try file.truncate(to: 0)
    try file.write([UInt8](repeating: 2, count: 600))
    let found = Set(disk.crashes(damaged: 0).map { disk.crash($0).contents(of: "/a")! })
    #expect(found.count == 4)
    #expect(found.contains([UInt8](repeating: 2, count: 512) + [UInt8](repeating: 1, count: 88)))
  }

  @Test func mappedStoresAreUnsyncedUntilTheFileIsSynced() throws {
    let disk = SimulatedDisk()
    try disk.install("/a", [UInt8](repeating: 0, count: 8_192))
    let file = try disk.open("/a", .readWrite)
    let region = try file.map(capacity: 8_192, writable: true)
    try region.store(bigEndian: UInt64(7), at: 0)
    try region.store(bigEndian: UInt64(8), at: 4_096)
    #expect(disk.unsyncedItems == [.sector(path: "/a", 0), .sector(path: "/a", 8)])
    let sums = Set(
      disk.crashes(damaged: 0).map { disk.crash($0).contents(of: "/a")!.reduce(0) { $0 + Int($1) } }
    )
    #expect(sums == [0, 7, 8, 15])
    try file.sync()
    #expect(disk.unsyncedItems.isEmpty)
    try region.store(bigEndian: UInt64(9), at: 0)
    #expect(disk.crash(.loseAllUnsynced).contents(of: "/a")![7] == 7)
    #expect(disk.kill().contents(of: "/a")![7] == 9)
  }

  @Test func storesAfterACrashDoNotReachTheNewDisk() throws {
    let disk = SimulatedDisk()
    try disk.install("/a", [UInt8](repeating: 0, count: 4_096))
    let file = try disk.open("/a", .readWrite)
    let region = try file.map(capacity: 4_096, writable: true)
    let after = disk.crash(.keepAll)
    let killed = disk.kill()
    try region.store(bigEndian: UInt8(1), at: 0)
    try file.write([2], at: 1)
    #expect(try disk.contents("/a").prefix(2) == [1, 2])
    #expect(try after.contents("/a").prefix(2) == [0, 0])
    #expect(try killed.contents("/a").prefix(2) == [0, 0])
  }

  @Test func namesAreKeptOrLostIndependently() throws {
    let disk = SimulatedDisk()
    try disk.put("/a")
    try disk.put("/b")
    try disk.makeDirectory("/c")
    #expect(try disk.unsyncedNames(in: "/") == ["create /a", "create /b", "makeDirectory /c"])
    let found = Set(try disk.crashes(damaged: 0).map { try disk.crash($0).names("/") })
    #expect(
      found == [[], ["a"], ["b"], ["c"], ["a", "b"], ["a", "c"], ["b", "c"], ["a", "b", "c"]])
    try disk.syncDirectory("/")
    #expect(try disk.crash(.loseAllUnsynced).names("/") == ["a", "b", "c"])
  }

  @Test func aRenameIsAtomic() throws {
    let disk = SimulatedDisk()
    try disk.install("/old", [1])
    try disk.install("/new", [2])
    try disk.rename("/new", to: "/old")
    #expect(try disk.crash(.loseAllUnsynced).names("/") == ["new", "old"])
    #expect(disk.crash(.loseAllUnsynced).contents(of: "/old") == [1])
    #expect(try disk.crash(.keepAll).names("/") == ["old"])
    #expect(disk.crash(.keepAll).contents(of: "/old") == [2])
    #expect(disk.crashes(damaged: 0).count == 2)
  }

  @Test func aRenameThatAloneSurvivesTakesNoOlderNamesakeAway() throws {
    let disk = SimulatedDisk()
    try disk.install("/temporary", [1])
    try disk.remove("/temporary")
    try disk.put("/temporary", [2])
    try disk.rename("/temporary", to: "/checkpoint")
    // Items: remove, create, rename.
    let after = disk.crash(.choices(0b100))
    #expect(after.contents(of: "/temporary") == [1])
    #expect(after.paths == ["/checkpoint", "/temporary"])
  }

  @Test func aRenameMaySurviveWithoutTheContent() throws {
    // The classic mistake: write a temporary file, rename it, never sync it.
    let disk = SimulatedDisk()
    try disk.install("/checkpoint", [1])
    try disk.put("/temporary", [2])
    try disk.rename("/temporary", to: "/checkpoint")
    try disk.syncDirectory("/")
    let found = Set(disk.crashes(damaged: 0).map { disk.crash($0).contents(of: "/checkpoint")! })
    #expect(found == [[], [0], [2]])
  }

  @Test func aRemovedFileMayComeBack() throws {
    let disk = SimulatedDisk()
    try disk.install("/a", [1])
    try disk.remove("/a")
    #expect(disk.crash(.loseAllUnsynced).contents(of: "/a") == [1])
    #expect(disk.crash(.keepAll).contents(of: "/a") == nil)
    try disk.syncDirectory("/")
    #expect(disk.crash(.loseAllUnsynced).contents(of: "/a") == nil)
  }

  @Test func aFileSyncedInALostDirectoryIsLost() throws {
    let disk = SimulatedDisk()
    try disk.makeDirectory("/d")
    try disk.put("/d/a", [1])
    try disk.open("/d/a", .readWrite).sync()
    try disk.syncDirectory("/d")
    #expect(try disk.unsyncedNames(in: "/d").isEmpty)
    #expect(try disk.names("/d") == ["a"])
    #expect(try disk.crash(.loseAllUnsynced).names("/").isEmpty)
  }

  @Test func aRenameAcrossDirectoriesNeedsBothSynced() throws {
    func renamed() throws -> SimulatedDisk {
      let disk = SimulatedDisk()
      try disk.install("/from/a", [1])
      try disk.installDirectory("/to")
      try disk.rename("/from/a", to: "/to/b")
      return disk
    }
    let disk = try renamed()
    #expect(Set(disk.crashes(damaged: 0).map { disk.crash($0).paths }) == [["/from/a"], ["/to/b"]])
    try disk.syncDirectory("/to")
    #expect(
      Set(disk.crashes(damaged: 0).map { disk.crash($0).paths.count }) == [1],
      "one path per inode is listed")
    #expect(disk.crash(.loseAllUnsynced).contents(of: "/to/b") == [1])
    #expect(disk.crash(.loseAllUnsynced).contents(of: "/from/a") == [1])
    try disk.syncDirectory("/from")
    #expect(disk.crash(.loseAllUnsynced).contents(of: "/from/a") == nil)
    #expect(disk.unsyncedItems.isEmpty)
  }

  @Test func crashesEnumeratesEverySubsetOrSamples() throws {
    let disk = SimulatedDisk()
    #expect(disk.crashes() == [.loseAllUnsynced])
    try disk.install("/a", [])
    let file = try disk.open("/a", .readWrite)
    try file.write([UInt8](repeating: 1, count: 9 * 512))
    #expect(disk.unsyncedItems.count == 10)
    #expect(Set(disk.crashes(exhaustiveMax: 10, damaged: 0)).count == 1_024)
    #expect(disk.crashes(exhaustiveMax: 10, damaged: 3).count == 1_027)
    #expect(Set(disk.crashes(exhaustiveMax: 9, samples: 50)).count == 52)
  }

  @Test func oneSeedGivesOneOutcome() throws {
    func run() throws -> [[UInt8]?] {
      let disk = SimulatedDisk(seed: 3)
      try disk.install("/a", [])
      try disk.open("/a", .readWrite).write([UInt8](repeating: 1, count: 20_000))
      return (0..<50).map { disk.crash(seed: $0).contents(of: "/a") }
    }
    let outcomes = try run()
    #expect(outcomes == (try run()))
    #expect(Set(outcomes).count > 10)
  }

  @Test func aPowerCutChangesTheBootAndAKillDoesNot() throws {
    let disk = SimulatedDisk()
    #expect(disk.crash(seed: 1).bootIdentifier != disk.bootIdentifier)
    #expect(
      disk.crash(.keepAll).crash(.keepAll).bootIdentifier != disk.crash(.keepAll).bootIdentifier)
    #expect(disk.kill().bootIdentifier == disk.bootIdentifier)
  }

  @Test func aKillKeepsThePageCacheButMakesNothingDurable() throws {
    let disk = SimulatedDisk()
    try disk.put("/a", [1, 2])
    let lock = try disk.lock("/.lock")
    let killed = disk.kill()
    #expect(killed.contents(of: "/a") == [1, 2])
    #expect(try killed.unsyncedNames(in: "/") == ["create /a", "lock /.lock"])
    #expect(killed.crash(.loseAllUnsynced).paths.isEmpty)
    _ = try killed.lock("/.lock")
    #expect(code { _ = try disk.lock("/.lock") } == EAGAIN)
    withExtendedLifetime(lock) {}
    #expect(killed.counters.openFiles == 0)
  }

  @Test func whatACrashLeavesIsDurable() throws {
    let disk = SimulatedDisk()
    try disk.put("/a", [UInt8](repeating: 1, count: 3_000))
    for mode in Self.someModes {
      let after = disk.crash(mode)
      #expect(after.unsyncedItems.isEmpty, "\(mode)")
      #expect(after.crash(.loseAllUnsynced).contents(of: "/a") == after.contents(of: "/a"))
    }
  }

  @Test func unsyncedBytesTellWhetherAnAcknowledgementIsAllowed() throws {
    let disk = SimulatedDisk()
    let file = try disk.open("/a", .create)
    #expect(try disk.unsyncedBytes(of: "/a") == 0)
    try file.truncate(to: 10)
    #expect(try disk.unsyncedBytes(of: "/a") == 1)
    try file.write([1], at: 600)
    #expect(try disk.unsyncedBytes(of: "/a") == 512)
    try file.sync()
    #expect(try disk.unsyncedBytes(of: "/a") == 0)
    #expect(try disk.unsyncedNames(in: "/") == ["create /a"])
  }
}
