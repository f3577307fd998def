import DiskIO
import Glibc
import StoreTesting
import Testing

/// What `DiskFile` and `MappedRegion` promise, on every implementation.
@Suite struct FileConformanceTests {
  @Test(arguments: DiskUnderTest.allCases)
  func readStopsAtTheEndOfTheFile(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let file = try disk.open("\(base)/a", .create)
      #expect(try file.bytes(10) == [])
      try file.write([1, 2, 3, 4, 5])
      #expect(try file.bytes(10) == [1, 2, 3, 4, 5])
      #expect(try file.bytes(2, at: 1) == [2, 3])
      #expect(try file.bytes(10, at: 4) == [5])
      #expect(try file.bytes(10, at: 5) == [])
      #expect(try file.bytes(10, at: 1 << 40) == [])
      #expect(try file.bytes(0, at: 0) == [])
    }
  }

  /// A rename keeps what names a file; a copy, and a file made where another was, are others.
  @Test(arguments: DiskUnderTest.allCases)
  func everyFileHasABirthOfItsOwn(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let file = try disk.open("\(base)/a", .create)
      try file.write([1, 2])
      let birth = try file.birth()
      // Some file systems do not tell; a simulated disk does.
      guard birth != nil || kind == .simulated else { return }
      #expect(birth != nil)
      try disk.rename("\(base)/a", to: "\(base)/b")
      try file.write([3], at: 2)
      #expect(try file.birth() == birth)
      #expect(try disk.open("\(base)/b", .read).birth() == birth)
      let other = try disk.open("\(base)/a", .create)
      #expect(try other.birth() != birth)
      #expect(try other.birth() == disk.open("\(base)/a", .readWrite).birth())
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func readLeavesTheRestOfTheBufferAlone(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let file = try disk.open("\(base)/a", .create)
      try file.write([1, 2])
      var buffer: [UInt8] = [9, 9, 9]
      var span = buffer.mutableSpan
      let count = try file.read(into: &span, at: 0)
      #expect(count == 2)
      #expect(buffer == [1, 2, 9])
    }
  }

  /// Positions around the boundaries of sectors and pages, and lengths across several.
  @Test(arguments: DiskUnderTest.allCases)
  func writesLandWhereTheyWereSent(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let file = try disk.open("\(base)/a", .create)
      var expected: [UInt8] = []
      var random = SeededGenerator(seed: 42)
      for position in [0, 1, 511, 512, 4_095, 4_096, 4_097, 12_288, 20_000, 3] {
        for count in [1, 2, 512, 4_096, 9_000] {
          let bytes = random.bytes(count)
          try file.write(bytes, at: position)
          let end = position + count
          if expected.count < end {
            expected.append(contentsOf: repeatElement(0, count: end - expected.count))
          }
          expected.replaceSubrange(position..<end, with: bytes)
          #expect(try file.size() == expected.count)
        }
      }
      #expect(try file.contents() == expected)
      #expect(try disk.contents("\(base)/a") == expected)
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func aGapReadsAsZeros(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let file = try disk.open("\(base)/a", .create)
      try file.write([7], at: 10_000)
      #expect(try file.contents() == [UInt8](repeating: 0, count: 10_000) + [7])
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func anEmptyWriteChangesNothing(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let file = try disk.open("\(base)/a", .create)
      try file.write([], at: 1_000)
      #expect(try file.size() == 0)
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func handlesSeeEachOthersWrites(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let writer = try disk.open("\(base)/a", .create)
      let reader = try disk.open("\(base)/a", .read)
      let other = try disk.open("\(base)/a", .readWrite)
      try writer.write([1, 2])
      try other.write([3], at: 1)
      #expect(try reader.contents() == [1, 3])
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func aReadingHandleCannotChangeTheFile(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      try disk.put("\(base)/a", [1, 2, 3])
      let file = try disk.open("\(base)/a", .read)
      #expect(code { try file.write([9]) } == EBADF)
      #expect(code { try file.truncate(to: 1) } == EINVAL)
      #expect(code { try file.allocate(to: 8_192) } == EBADF)
      #expect(
        code { _ = try file.map(capacity: 3, writable: true) } == EACCES)
      try file.sync()
      #expect(try file.contents() == [1, 2, 3])
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func truncateCutsAndExtendsWithZeros(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let file = try disk.open("\(base)/a", .create)
      let full = [UInt8](repeating: 5, count: 9_000)
      for size in [0, 1, 511, 512, 4_095, 4_096, 4_097, 8_192, 8_999, 9_000] {
        try file.truncate(to: 0)
        try file.write(full)
        try file.truncate(to: size)
        #expect(try file.size() == size)
        #expect(try file.contents() == Array(full.prefix(size)))
        // What was cut does not come back.
        try file.truncate(to: 9_100)
        #expect(
          try file.contents()
            == full.prefix(size) + [UInt8](repeating: 0, count: 9_100 - size))
      }
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func allocateOnlyGrowsAndKeepsContent(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let file = try disk.open("\(base)/a", .create)
      try file.allocate(to: 0)
      #expect(try file.size() == 0)
      try file.write([1, 2, 3])
      try file.allocate(to: 10_000)
      #expect(try file.contents() == [1, 2, 3] + [UInt8](repeating: 0, count: 9_997))
      try file.allocate(to: 5_000)
      #expect(try file.size() == 10_000)
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func largePositionsWork(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let file = try disk.open("\(base)/a", .create)
      let position = 5 << 30
      try file.write([1, 2], at: position)
      #expect(try file.size() == position + 2)
      #expect(try disk.status("\(base)/a")?.size == position + 2)
      #expect(try file.bytes(4, at: position - 2) == [0, 0, 1, 2])
      #expect(code { try file.write([1], at: 1 << 60) } == EFBIG)
      #expect(code { try file.truncate(to: 1 << 60) } == EFBIG)
      #expect(try file.size() == position + 2)
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func aMappingAndTheFileShareTheirBytes(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let file = try disk.open("\(base)/a", .create)
      try file.write([0xFF], at: 8_191)
      let region = try file.map(capacity: 8_192, writable: true)
      let reader = try disk.open("\(base)/a", .read).map(capacity: 8_192, writable: false)
      #expect(region.capacity == 8_192)
      #expect(region.isWritable && !reader.isWritable)

      try region.store(bigEndian: UInt64(0x0102_0304_0506_0708), at: 4_093)
      #expect(try file.bytes(9, at: 4_092) == [0, 1, 2, 3, 4, 5, 6, 7, 8])
      #expect(try reader.load(bigEndian: UInt32.self, at: 4_093) == 0x0102_0304)
      #expect(try reader.load(bigEndian: Int8.self, at: 8_191) == -1)

      try file.write([0xAA, 0xBB, 0xCC, 0xDD], at: 4_094)
      #expect(try region.load(bigEndian: UInt32.self, at: 4_094) == 0xAABB_CCDD)

      var copy = [UInt8](repeating: 0, count: 3)
      var span = copy.mutableSpan
      try reader.copy(to: &span, from: 4_095)
      #expect(copy == [0xBB, 0xCC, 0xDD])
      try region.copy(from: [5, 6].span, to: 0)
      #expect(try file.bytes(2) == [5, 6])
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func aMappingOutlivesItsFileAndSurvivesSync(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      func map() throws(DiskError) -> MappedRegion {
        let file = try disk.open("\(base)/a", .create)
        try file.allocate(to: 4_096)
        return try file.map(capacity: 4_096, writable: true)
      }
      let region = try map()
      try region.store(bigEndian: Int32(-2), at: 0)
      let file = try disk.open("\(base)/a", .readWrite)
      try file.sync()
      try region.store(bigEndian: Int32(-3), at: 4)
      #expect(try file.bytes(8) == [0xFF, 0xFF, 0xFF, 0xFE, 0xFF, 0xFF, 0xFF, 0xFD])
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func aMappingMayBeLargerThanTheFile(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let file = try disk.open("\(base)/a", .create)
      let region = try file.map(capacity: 1 << 20, writable: true)
      try file.allocate(to: 8_192)
      try region.store(bigEndian: UInt16(7), at: 8_190)
      #expect(try file.bytes(2, at: 8_190) == [0, 7])
      #expect(try file.size() == 8_192)
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func truncatingAfterUnmappingKeepsTheFront(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let file = try disk.open("\(base)/a", .create)
      func fill() throws(DiskError) {
        try file.allocate(to: 8_192)
        let region = try file.map(capacity: 8_192, writable: true)
        for position in 0..<8_192 {
          try region.store(bigEndian: UInt8(position & 0x7F), at: position)
        }
      }
      try fill()
      try file.truncate(to: 100)
      #expect(try file.contents() == (0..<100).map { UInt8($0) })
      try file.truncate(to: 8_192)
      #expect(try file.bytes(2, at: 99) == [99, 0])
      let region = try file.map(capacity: 8_192, writable: false)
      #expect(try region.load(bigEndian: UInt16.self, at: 99) == 99 << 8)
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func anEmptyMappingIsRefused(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let file = try disk.open("\(base)/a", .create)
      #expect(
        code { _ = try file.map(capacity: 0, writable: true) } == EINVAL)
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func adviceNeverFails(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let file = try disk.open("\(base)/a", .create)
      try file.write([1, 2, 3])
      file.advise(.sequential, at: 0, count: 3)
      file.advise(.random, at: 0, count: 0)
      file.advise(.normal, at: 0, count: 0)
      file.advise(.willNeed, at: 0, count: 1 << 30)
      file.advise(.dontNeed, at: 0, count: 0)
      #expect(try file.contents() == [1, 2, 3])
    }
  }
}

/// Uses of a region that are bugs stop the process.
@Suite struct MappedRegionBoundsTests {
  @Test func accessBeyondTheCapacityTraps() async {
    await #expect(processExitsWith: .failure) {
      _ = try MappedRegion(heapCapacity: 16).load(bigEndian: UInt64.self, at: 9)
    }
    await #expect(processExitsWith: .failure) {
      _ = try MappedRegion(heapCapacity: 16).load(bigEndian: UInt8.self, at: -1)
    }
    await #expect(processExitsWith: .failure) {
      try MappedRegion(heapCapacity: 16).store(bigEndian: UInt32(1), at: 13)
    }
    await #expect(processExitsWith: .success) {
      let region = MappedRegion(heapCapacity: 16)
      try region.store(bigEndian: UInt64(3), at: 8)
      if try region.load(bigEndian: UInt64.self, at: 8) != 3 { exit(1) }
    }
  }

  @Test func aStoreIntoAReadOnlyRegionTraps() async {
    await #expect(processExitsWith: .failure) {
      let whole = MappedRegion(heapCapacity: 16)
      try MappedRegion(sharing: whole, capacity: 16, isWritable: false) {}
        .store(bigEndian: UInt8(1), at: 0)
    }
  }
}
