import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// `mkstore.producer-ids`: read back as written, and never with a byte changed.
struct FilesProducerIdsTests {
  private static let ids: [Int64] = [
    ProducerIdRange.first, 5_123_456_789_012_345, ProducerIdRange.limit,
  ]

  private func read(_ bytes: [UInt8]) throws -> ProducerIdsFile? {
    let disk = SimulatedDisk()
    try disk.install("/data/\(ProducerIdsFile.name)", bytes)
    return try ProducerIdsFile.read(disk, directory: "/data")
  }

  @Test(arguments: ids) func whatIsWrittenIsReadBack(_ next: Int64) throws {
    let file = ProducerIdsFile(nextProducerId: next)
    #expect(try read(file.encoded) == file)
    let disk = SimulatedDisk()
    try disk.makeDirectory("/data")
    try file.write(disk, directory: "/data")
    #expect(try ProducerIdsFile.read(disk, directory: "/data") == file)
  }

  @Test(arguments: ids) func everyFlippedBitIsFound(_ next: Int64) throws {
    let bytes = ProducerIdsFile(nextProducerId: next).encoded
    for bit in 0..<bytes.count * 8 {
      var flipped = bytes
      flipped[bit / 8] ^= 1 << (bit % 8)
      #expect(throws: CheckpointError.self, "bit \(bit)") { try read(flipped) }
    }
  }

  @Test func everyCutAndEveryAdditionIsFound() throws {
    let bytes = ProducerIdsFile(nextProducerId: Self.ids[1]).encoded
    for count in 0..<bytes.count {
      #expect(throws: CheckpointError.self, "\(count)") { try read(Array(bytes.prefix(count))) }
    }
    for more in ["\n", " ", "0", "next_producer_id: 5123456789012345\n"] {
      #expect(throws: CheckpointError.self, "\(more)") { try read(bytes + Array(more.utf8)) }
    }
  }

  /// Right by its CRC, but no id of ours can be next there.
  @Test(
    arguments: [
      0, 1000, ProducerIdRange.first - 1, ProducerIdRange.limit + 1, Int64.max, -1,
    ] as [Int64])
  func aPlaceOutsideTheRangeIsRefused(_ next: Int64) {
    #expect(throws: CheckpointError.self) {
      try read(ProducerIdsFile(nextProducerId: next).encoded)
    }
  }

  @Test(arguments: [0, 1, 1000, 4_611_686_018_427_387_904] as [Int64])
  func theOldFormIsSoundAndGivesNoPlace(_ next: Int64) throws {
    let file = try read(Array("version: 0\nnext_producer_id: \(next)\n".utf8))
    #expect(file != nil && file?.nextProducerId == nil)
  }

  @Test(arguments: ["-1", "4611686018427387905", "01", "+1", "x", "", " 1"])
  func anOldFormThatIsNoneIsRefused(_ next: String) {
    #expect(throws: CheckpointError.self) {
      try read(Array("version: 0\nnext_producer_id: \(next)\n".utf8))
    }
  }

  @Test func whatIsNoFileIsRefusedAndNoFileIsNone() throws {
    let disk = SimulatedDisk()
    try disk.installDirectory("/data/\(ProducerIdsFile.name)")
    #expect(throws: CheckpointError.self) { try ProducerIdsFile.read(disk, directory: "/data") }
    #expect(try ProducerIdsFile.read(disk, directory: "/other") == nil)
  }

  // MARK: The range

  @Test(
    arguments: [
      -1, 0, 41, ProducerIdRange.first, ProducerIdRange.limit / 2,
      ProducerIdRange.limit - 2 * ProducerIdRange.placeCount - 1,
    ] as [Int64])
  func aPlaceIsAboveItsFloor(_ floor: Int64) {
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<100 {
      let place = ProducerIdRange.place(above: floor, using: &generator)
      #expect(place > floor && ProducerIdRange.contains(place))
      #expect(place < ProducerIdRange.limit - 1000)
    }
  }

  /// What only a client can have made up is not counted from.
  @Test(
    arguments: [
      ProducerIdRange.limit - 2 * ProducerIdRange.placeCount, ProducerIdRange.limit - 1,
      ProducerIdRange.limit, Int64.max - 500, Int64.max,
    ] as [Int64])
  func aFloorAtTheEndOfTheRangeIsPassedOver(_ floor: Int64) {
    var generator = SeededGenerator(seed: 1)
    let place = ProducerIdRange.place(above: floor, using: &generator)
    #expect((ProducerIdRange.first..<2 * ProducerIdRange.first).contains(place))
  }

  /// Places differ in at least 40 bits.
  @Test func placesAreSpread() {
    var generator = SeededGenerator(seed: 1)
    var (set, unset): (Int64, Int64) = (0, 0)
    for _ in 0..<200 {
      let place = ProducerIdRange.place(above: -1, using: &generator)
      set |= place
      unset |= ~place
    }
    #expect((set & unset).nonzeroBitCount >= 51)
  }
}
