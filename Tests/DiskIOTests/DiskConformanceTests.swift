import DiskIO
import Glibc
import StoreTesting
import Testing

/// What `Disk` promises, on every implementation.
@Suite struct DiskConformanceTests {
  @Test(arguments: DiskUnderTest.allCases)
  func createOpensForReadingAndWriting(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let file = try disk.open("\(base)/a", .create)
      try file.write([1, 2, 3])
      #expect(try file.contents() == [1, 2, 3])
      #expect(file.path == "\(base)/a")
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func createRefusesAnExistingName(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      try disk.put("\(base)/a", [7])
      try disk.makeDirectory("\(base)/d")
      for name in ["a", "d"] {
        #expect(
          failure { _ = try disk.open("\(base)/\(name)", .create) }
            == DiskError(.create, "\(base)/\(name)", code: EEXIST))
      }
      #expect(try disk.contents("\(base)/a") == [7])
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func missingNamesAreNotFound(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let path = "\(base)/nothing"
      let status = try disk.status(path)
      #expect(status == nil)
      #expect(try disk.isMissing("\(path)/below"))
      #expect(code { _ = try disk.open(path, .read) } == ENOENT)
      #expect(code { _ = try disk.open(path, .readWrite) } == ENOENT)
      #expect(code { _ = try disk.open("\(path)/b", .create) } == ENOENT)
      #expect(code { _ = try disk.list(path) } == ENOENT)
      #expect(code { try disk.makeDirectory("\(path)/b") } == ENOENT)
      #expect(code { try disk.remove(path) } == ENOENT)
      #expect(code { try disk.removeDirectory(path) } == ENOENT)
      #expect(code { try disk.syncDirectory(path) } == ENOENT)
      #expect(code { try disk.rename(path, to: "\(base)/b") } == ENOENT)
      #expect(code { _ = try disk.lock("\(path)/b") } == ENOENT)
      #expect(code { _ = try disk.space(path).availableBytes } == ENOENT)
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func aFileIsNoDirectory(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let path = "\(base)/file"
      try disk.put(path, [1])
      #expect(try disk.isMissing("\(path)/below"))
      #expect(code { _ = try disk.open("\(path)/b", .read) } == ENOTDIR)
      #expect(code { _ = try disk.open("\(path)/b", .create) } == ENOTDIR)
      #expect(code { _ = try disk.list(path) } == ENOTDIR)
      #expect(code { try disk.makeDirectory("\(path)/b") } == ENOTDIR)
      #expect(code { try disk.makeDirectory(path) } == EEXIST)
      #expect(code { try disk.removeDirectory(path) } == ENOTDIR)
      #expect(code { try disk.syncDirectory(path) } == ENOTDIR)
      #expect(code { try disk.remove("\(path)/b") } == ENOTDIR)
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func aDirectoryIsNoFile(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let path = "\(base)/directory"
      try disk.makeDirectory(path)
      #expect(code { _ = try disk.open(path, .read) } == EISDIR)
      #expect(code { _ = try disk.open(path, .readWrite) } == EISDIR)
      #expect(code { _ = try disk.lock(path) } == EISDIR)
      #expect(code { try disk.remove(path) } == EISDIR)
      #expect(code { try disk.makeDirectory(path) } == EEXIST)
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func badNamesAreRefused(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let long = String(repeating: "n", count: 256)
      #expect(code { _ = try disk.open("\(base)/a\0b", .create) } == EINVAL)
      #expect(code { _ = try disk.status("\(base)/a\0b") } == EINVAL)
      #expect(code { try disk.rename("\(base)/a", to: "a\0") } == EINVAL)
      #expect(
        code { _ = try disk.open("\(base)/\(long)", .create) }
          == ENAMETOOLONG)
      #expect(code { _ = try disk.open("", .read) } == ENOENT)
      #expect(try disk.names(base).isEmpty)
      try disk.put("\(base)/\(long.dropLast())")
      #expect(try disk.names(base) == [String(long.dropLast())])
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func statusTellsKindSizeAndTimes(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      try disk.put("\(base)/a", [UInt8](repeating: 1, count: 5_000))
      let first = try #require(try disk.status("\(base)/a"))
      #expect(first.kind == .file)
      #expect(first.size == 5_000)
      #expect(first.modifiedMs > 1_600_000_000_000)
      if let createdMs = first.createdMs { #expect(createdMs <= first.modifiedMs) }

      try disk.open("\(base)/a", .readWrite).write([2], at: 5_000)
      let second = try #require(try disk.status("\(base)/a"))
      #expect(second.size == 5_001)
      #expect(second.modifiedMs >= first.modifiedMs)
      #expect(second.createdMs == first.createdMs)
      #expect(second.changedMs >= second.modifiedMs)

      try disk.rename("\(base)/a", to: "\(base)/b")
      let renamed = try #require(try disk.status("\(base)/b"))
      #expect(renamed.modifiedMs == second.modifiedMs)
      #expect(renamed.changedMs >= second.changedMs)

      let directory = try #require(try disk.status(base))
      #expect(directory.kind == .directory)
      #expect(directory.size == 0)
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func listNamesEachEntryOnceWithItsKind(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      #expect(try disk.list(base).isEmpty)
      var expected: [DirectoryEntry] = []
      for index in 100..<150 {
        try disk.put("\(base)/f\(index)")
        expected.append(DirectoryEntry(name: "f\(index)", kind: .file))
      }
      try disk.makeDirectory("\(base)/g")
      try disk.put("\(base)/g/hidden")
      expected.append(DirectoryEntry(name: "g", kind: .directory))
      #expect(try disk.list(base).sorted { $0.name < $1.name } == expected)
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func pathsMayHaveDotsAndDoubledSlashes(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      try disk.makeDirectory("\(base)/d")
      try disk.put("\(base)//d/./a", [5])
      #expect(try disk.contents("\(base)/d/../d/a") == [5])
      #expect(try disk.names("\(base)/d/") == ["a"])
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func renameReplacesAFile(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      try disk.put("\(base)/new", [1])
      try disk.put("\(base)/old", [2])
      let oldHandle = try disk.open("\(base)/old", .read)
      try disk.rename("\(base)/new", to: "\(base)/old")
      #expect(try disk.names(base) == ["old"])
      #expect(try disk.contents("\(base)/old") == [1])
      #expect(try oldHandle.contents() == [2])
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func renameKeepsOpenHandlesAndMappings(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let file = try disk.open("\(base)/a", .create)
      try file.allocate(to: 4_096)
      let region = try file.map(capacity: 4_096, writable: true)
      try disk.rename("\(base)/a", to: "\(base)/b")
      try file.write([9], at: 0)
      try region.store(bigEndian: UInt8(8), at: 1)
      #expect(try disk.open("\(base)/b", .read).bytes(2) == [9, 8])
      #expect(file.path == "\(base)/a")
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func renameOntoItselfChangesNothing(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      try disk.put("\(base)/a", [1])
      try disk.rename("\(base)/a", to: "\(base)/a")
      #expect(try disk.contents("\(base)/a") == [1])
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func renameMovesADirectoryWithWhatIsInIt(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      try disk.makeDirectory("\(base)/d")
      try disk.put("\(base)/d/a", [3])
      try disk.makeDirectory("\(base)/empty")
      try disk.rename("\(base)/d", to: "\(base)/empty")
      #expect(try disk.names(base) == ["empty"])
      #expect(try disk.contents("\(base)/empty/a") == [3])
      try disk.makeDirectory("\(base)/other")
      try disk.rename("\(base)/empty/a", to: "\(base)/other/b")
      #expect(try disk.names("\(base)/empty").isEmpty)
      #expect(try disk.contents("\(base)/other/b") == [3])
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func renameRefusesWhatCannotBeReplaced(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      try disk.put("\(base)/file")
      try disk.makeDirectory("\(base)/full")
      try disk.put("\(base)/full/a")
      try disk.makeDirectory("\(base)/d")
      func rename(_ source: String, _ destination: String) -> Int32? {
        code {
          try disk.rename("\(base)/\(source)", to: "\(base)/\(destination)")
        }
      }
      #expect(rename("file", "d") == EISDIR)
      #expect(rename("d", "file") == ENOTDIR)
      #expect(rename("d", "full") == ENOTEMPTY)
      #expect(rename("d", "d/below") == EINVAL)
      #expect(rename("file", "nothing/a") == ENOENT)
      #expect(try disk.names(base) == ["d", "file", "full"])
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func removeLeavesOpenHandlesWorking(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let file = try disk.open("\(base)/a", .create)
      try file.write([UInt8](repeating: 4, count: 4_096))
      let region = try file.map(capacity: 4_096, writable: true)
      try disk.remove("\(base)/a")
      try disk.syncDirectory(base)
      #expect(try disk.isMissing("\(base)/a"))
      try region.store(bigEndian: UInt16(0x0102), at: 10)
      try file.write([6], at: 12)
      #expect(try file.bytes(4, at: 9) == [4, 1, 2, 6])
      try file.sync()
      // The name is free for another file.
      try disk.put("\(base)/a", [1])
      #expect(try file.size() == 4_096)
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func onlyEmptyDirectoriesAreRemoved(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      try disk.makeDirectory("\(base)/d")
      try disk.put("\(base)/d/a")
      #expect(code { try disk.removeDirectory("\(base)/d") } == ENOTEMPTY)
      try disk.remove("\(base)/d/a")
      try disk.removeDirectory("\(base)/d")
      #expect(try disk.isMissing("\(base)/d"))
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func aSecondLockInTheProcessIsRefusedWithItsPid(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let path = "\(base)/.lock"
      let lock = try disk.lock(path)
      for _ in 0..<3 {
        #expect(
          failure { _ = try disk.lock(path) }
            == DiskError(.lock, path, code: EAGAIN, holder: getpid()))
      }
      lock.release()
      lock.release()
      let again = try disk.lock(path)
      #expect(code { _ = try disk.lock(path) } == EAGAIN)
      withExtendedLifetime(again) {}
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func aLockGoesWithItsLastReference(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      var lock: (any DiskLock)? = try disk.lock("\(base)/.lock")
      #expect(lock != nil)
      lock = nil
      lock = try disk.lock("\(base)/.lock")
      #expect(try disk.names(base) == [".lock"])
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func availableBytesIsPositive(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let bytes = try disk.space(base).availableBytes
      #expect(bytes > 1 << 20)
      let space = try disk.space(base)
      #expect(space.totalBytes >= space.availableBytes)
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func bootIdentifierStays(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, _ in
      let identifier = disk.bootIdentifier
      #expect(identifier != 0)
      #expect(disk.bootIdentifier == identifier)
    }
    #expect(PosixDisk().bootIdentifier == PosixDisk().bootIdentifier)
  }
}
