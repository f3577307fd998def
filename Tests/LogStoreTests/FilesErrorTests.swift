import DiskIO
import MkstoreBytes
import StoreTesting
import Testing

@testable import LogStore

/// Kafka's small files where they are missing, state what they do not hold, or change while they
/// are read.
@Suite struct FilesErrorTests {
  @Test func aFileThatIsNotThereIsNoError() throws {
    let disk = SimulatedDisk()
    try disk.installDirectory("/logs")
    #expect(try PartitionMetadata.read(disk, directory: "/logs") == nil)
    #expect(try LeaderEpochCheckpoint.read(disk, directory: "/logs") == nil)
    #expect(try OffsetCheckpoint.read(disk, directory: "/logs", .highWatermark) == nil)
    #expect(try MetaProperties.read(disk, directory: "/logs") == nil)
    #expect(try ProducerSnapshot.read(disk, "/logs/00000000000000000000.snapshot") == nil)
    // Nor one in a directory that went meanwhile.
    #expect(try SmallFile.read(disk, "/gone/x") == nil)
  }

  /// Another process cut it between the two calls: what is there is read, and judged as it is.
  @Test func aFileThatShrinksWhileItIsReadGivesWhatIsThere() throws {
    let disk = SimulatedDisk()
    try disk.install("/logs/x", [1, 2, 3])
    #expect(try SmallFile.read(StaleSizes(base: disk), "/logs/x") == [1, 2, 3])
  }

  private final class StaleSizes: ForwardingDisk {
    let base: any Disk
    init(base: any Disk) { self.base = base }
    func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
      StaleSize(base: try base.open(path, mode))
    }
  }

  private final class StaleSize: ForwardingFile {
    let base: any DiskFile
    init(base: any DiskFile) { self.base = base }
    func size() throws(DiskError) -> Int { try base.size() + 10 }
  }

  /// A right CRC over a count that the file does not hold: it was written so, and is refused.
  @Test(arguments: [-1, 0, 2, Int32.max])
  func aSnapshotThatStatesAnotherCountIsRefused(_ count: Int32) throws {
    let producer = ProducerSnapshot.Producer(
      producerId: 1, producerEpoch: 0, lastSequence: 0, lastOffset: 0, offsetDelta: 0,
      timestamp: 0, coordinatorEpoch: -1, currentTxnFirstOffset: -1)
    var bytes = ProducerSnapshot([producer]).encoded
    store(count, at: 6, in: &bytes)
    store(CRC32C.checksum(bytes.span.extracting(6...)), at: 2, in: &bytes)
    #expect(throws: CheckpointError.self) { try ProducerSnapshot(bytes, path: "x") }
  }

  @Test(arguments: [-1, 0, 2, Int32.max])
  func aProducerFileThatStatesAnotherCountIsRefused(_ count: Int32) throws {
    try expectRefused { store(count, at: 16, in: &$0) }
  }

  @Test(arguments: [-1, 1, 5, 6, Int16.max])
  func aProducerThatStatesBatchesThatAreNotThereIsRefused(_ count: Int16) throws {
    try expectRefused { store(count, at: 30, in: &$0) }
  }

  /// Refused is one producer without a batch once `change` was made and the CRC put right.
  private func expectRefused(_ change: (inout [UInt8]) -> Void) throws {
    var state = ProducerState(endOffset: 9, expirationMs: 1)
    state.restore(1, ProducerState.Producer(epoch: 0, timestamp: 0, activeMs: 0))
    var bytes = ProducerFile.encode(state)
    #expect(try ProducerFile.decode(bytes, path: "x", expirationMs: 1).producers.count == 1)
    change(&bytes)
    let end = bytes.count - 4
    store(CRC32C.checksum(bytes.span.extracting(0..<end)), at: end, in: &bytes)
    #expect(throws: CheckpointError.self) {
      try ProducerFile.decode(bytes, path: "x", expirationMs: 1)
    }
  }

  private func store<T: FixedWidthInteger & BitwiseCopyable>(
    _ value: T, at position: Int, in bytes: inout [UInt8]
  ) {
    var span = bytes.mutableSpan
    span.storeBigEndian(value, at: position)
  }

  /// As Kafka's `Uuid.randomUuid`: no id that a command line takes for an option.
  @Test func aRandomIdDoesNotBeginWithADash() {
    var numbers = Numbers(left: [62 << 58, 0, 1 << 58, 0])
    let id = Uuid.random(using: &numbers)
    #expect(numbers.left.isEmpty)
    #expect(id.description == "BAAAAAAAQACAAAAAAAAAAA")
  }

  private struct Numbers: RandomNumberGenerator {
    var left: [UInt64]
    mutating func next() -> UInt64 { left.removeFirst() }
  }

  @Test(arguments: [("a", "."), (".", ".."), ("/a", "/"), ("a/b", "a"), ("/a/b", "/a")])
  func theDirectoryOfAPathIsWhatItsTextSays(_ path: String, _ parent: String) {
    #expect(PathText.parent(path) == parent)
  }
}
