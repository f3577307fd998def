import DiskIO
import Glibc
import Logging
import MkstoreProtocol
import MkstoreServer
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// Producer ids: given out once each, whatever files say and whatever ids clients make up.
struct ProducerIdTests {
  private static let path = "/data/\(ProducerIdsFile.name)"

  private static func open(_ disk: SimulatedDisk) throws -> Store {
    var config = StoreConfig()
    config.createsStore = true
    config.startsFlusher = false
    config.fetcherCores = []
    let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    return try Store.openBlocking("/data", config: config, disk: disk, logger: quiet)
  }

  private static func ids(
    _ manager: Store, seed: UInt64 = 1, heardBy log: CapturedLog = CapturedLog()
  ) -> ProducerIds {
    ProducerIds(manager, logger: log.logger, using: SeededGenerator(seed: seed))
  }

  private static func append(_ log: Log, producerId: Int64, sequence: Int32 = 0) throws {
    var batch = try TestBatch.make(
      ["x"],
      options: BatchOptions(producerId: producerId, producerEpoch: 0, baseSequence: sequence))
    #expect(try !log.appendBlocking(batch: &batch).isDuplicate)
  }

  private static func isFarFromABrokers(_ id: Int64) -> Bool { id >= 1 << 52 && id < 1 << 62 }

  // MARK: Places

  @Test func storesBeginFarFromEachOtherAndFromABroker() throws {
    var places: [Int64] = []
    for seed: UInt64 in 0..<20 {
      let manager = try Self.open(SimulatedDisk())
      places.append(try Self.ids(manager, seed: seed).next())
      try manager.closeBlocking()
    }
    #expect(places.allSatisfy(Self.isFarFromABrokers))
    let gaps = zip(places.sorted(), places.sorted().dropFirst()).map { $1 - $0 }
    #expect(gaps.allSatisfy { $0 > 1 << 30 }, "\(places)")
  }

  @Test func idsCountOnAndABlockIsDurableBeforeItIsGivenOut() throws {
    let disk = SimulatedDisk()
    let manager = try Self.open(disk)
    let ids = Self.ids(manager)
    let first = try ids.next()
    for number: Int64 in 1..<2500 {
      #expect(try ids.next() == first + number)
      let durable = try ProducerIdsFile(disk.durableContents(of: Self.path) ?? [], path: "")
      #expect(try #require(durable.nextProducerId) > first + number)
    }
    // After a crash of any kind none comes back.
    let crashed = try Self.open(disk.crash(.loseAllUnsynced))
    #expect(try Self.ids(crashed, seed: 2).next() == first + 3000)
  }

  /// The old form's ids were counted from 0 as a broker's are.
  @Test(arguments: [0, 1000, 123_000] as [Int64])
  func theOldFormsIdsAreNotCountedFrom(_ next: Int64) throws {
    let disk = SimulatedDisk()
    try disk.install(Self.path, Array("version: 0\nnext_producer_id: \(next)\n".utf8))
    let manager = try Self.open(disk)
    let captured = CapturedLog()
    let id = try Self.ids(manager, heardBy: captured).next()
    #expect(Self.isFarFromABrokers(id))
    #expect(captured.lines.isEmpty)
    #expect(
      try ProducerIdsFile.read(disk, directory: "/data")?.nextProducerId
        == id + ProducerIds.blockCount)
  }

  // MARK: Files that cannot be used

  @Test(arguments: [
    "", "\n", "x", "version: 0\nnext_producer_id: -1\n", "version: 0\nnext_producer_id: x\n",
    "version: 0\nnext_producer_id: 9223372036854775807\n",
    "version: 1\nnext_producer_id: 5123456789012345\n",
    String(repeating: "0", count: 5000), String(repeating: "\0", count: 70),
  ])
  func aRottenFileIsReplacedWithALineInTheLog(_ text: String) throws {
    let disk = SimulatedDisk()
    try disk.install(Self.path, Array(text.utf8))
    let captured = CapturedLog()
    let manager = try Self.open(disk)
    let ids = Self.ids(manager, heardBy: captured)
    #expect(captured.lines.count == 1)
    #expect(try ids.mendFile())
    let mended = try #require(try ProducerIdsFile.read(disk, directory: "/data"))
    let id = try ids.next()
    #expect(mended.nextProducerId == id)
    #expect(Self.isFarFromABrokers(id))
    #expect(try !ids.mendFile())
    #expect(captured.lines.count == 1)
  }

  /// Each bit of the file, flipped under a store whose log knows the ids given out before.
  @Test func noFlippedBitBringsAnIdBack() throws {
    let disk = SimulatedDisk()
    let manager = try Self.open(disk)
    let log = try manager.createLogBlocking(TopicPartition(topic: "t", partition: 0))
    let old = try Self.ids(manager).next()
    try Self.append(log, producerId: old)
    try manager.closeBlocking()
    let bytes = try #require(disk.contents(of: Self.path))
    for bit in 0..<bytes.count * 8 {
      let copy = disk.kill()
      var flipped = bytes
      flipped[bit / 8] ^= 1 << (bit % 8)
      try copy.install(Self.path, flipped)
      let again = try Self.open(copy)
      let captured = CapturedLog()
      let id = try Self.ids(again, seed: UInt64(bit), heardBy: captured).next()
      #expect(id > old && Self.isFarFromABrokers(id), "bit \(bit)")
      #expect(captured.lines.count == 1, "bit \(bit)")
      try Self.append(
        #require(again.log(TopicPartition(topic: "t", partition: 0))), producerId: id)
      try again.closeBlocking()
    }
  }

  @Test(arguments: [DiskError.Operation.open, .size, .read])
  func aFileThatTheDiskDoesNotGiveIsReplaced(_ operation: DiskError.Operation) throws {
    let disk = SimulatedDisk()
    var manager = try Self.open(disk)
    let old = try Self.ids(manager).next()
    try manager.closeBlocking()
    manager = try Self.open(disk)
    let before = disk.faultsFired
    disk.plan(
      FaultPlan(
        .error(EIO), at: 1, operations: [operation], pathSuffix: ProducerIdsFile.name))
    let captured = CapturedLog()
    let ids = Self.ids(manager, seed: 2, heardBy: captured)
    #expect(disk.faultsFired == before + 1)
    #expect(captured.lines.count == 1)
    disk.removeFaults()
    let id = try ids.next()
    #expect(id != old && Self.isFarFromABrokers(id))
  }

  @Test func aDirectoryOfTheNameIsSetAside() throws {
    let disk = SimulatedDisk()
    try disk.installDirectory(Self.path)
    try disk.install("\(Self.path)/inside", [1])
    try disk.installDirectory("\(Self.path).unreadable")
    let manager = try Self.open(disk)
    let ids = Self.ids(manager)
    #expect(Self.isFarFromABrokers(try ids.next()))
    #expect(try ProducerIdsFile.read(disk, directory: "/data") != nil)
    #expect(disk.contents(of: "\(Self.path).unreadable-2/inside") == [1])
  }

  @Test(arguments: [true, false])
  func onAFullDiskNoIdIsGivenOutAndLaterOneIs(isRotten: Bool) throws {
    let disk = SimulatedDisk()
    if isRotten { try disk.install(Self.path, [0]) }
    let manager = try Self.open(disk)
    let ids = Self.ids(manager)
    let before = disk.faultsFired
    disk.plan(FaultPlan(.error(ENOSPC), at: 1, isForEver: true, operations: [.write]))
    for _ in 0..<3 { #expect(throws: LogError.self) { try ids.next() } }
    #expect(disk.faultsFired > before)
    disk.removeFaults()
    #expect(Self.isFarFromABrokers(try ids.next()))
  }

  // MARK: What the logs tell

  /// A file that is older than the logs, as after a restored backup: by the snapshot of a clean
  /// stop, or by the tail that is scanned after a kill.
  @Test(arguments: [true, false])
  func idsGoOnAboveWhatTheLogsTell(isClean: Bool) throws {
    var disk = SimulatedDisk()
    var manager = try Self.open(disk)
    let log = try manager.createLogBlocking(TopicPartition(topic: "t", partition: 0))
    let ids = Self.ids(manager)
    let old = try ids.next()
    let backup = try #require(disk.contents(of: Self.path))
    var greatest = old
    for _ in 0..<1500 { greatest = try ids.next() }
    var batch = try TestBatch.make(
      ["x"], options: BatchOptions(producerId: greatest, producerEpoch: 0, baseSequence: 0))
    var span = batch.mutableSpan
    _ = try log.writeBlocking(batch: &span)
    if isClean { try manager.closeBlocking() } else { disk = disk.kill() }
    try disk.install(Self.path, backup)
    manager = try Self.open(disk)
    #expect(try Self.ids(manager, seed: 2).next() > greatest)
  }

  /// Two stores do not count side by side because a log went from one to the other.
  @Test func aForeignLogsIdsAreNotCountedFromOneByOne() throws {
    let disk = SimulatedDisk()
    let manager = try Self.open(disk)
    let log = try manager.createLogBlocking(TopicPartition(topic: "t", partition: 0))
    let ids = Self.ids(manager)
    let first = try ids.next()
    let foreign = first + (1 << 45)
    try Self.append(log, producerId: foreign)
    let id = try ids.next()
    #expect(id > foreign + (1 << 30))
    #expect(try ids.next() == id + 1)
  }

  /// A client may say that its id is any; what it says takes no id from others.
  @Test(
    arguments: [
      Int64.max, Int64.max - 500, 1 << 62, (1 << 62) - 1, (1 << 62) - 500, 1 << 52, 0, 41,
    ] as [Int64])
  func anIdThatAClientMadeUpTakesNoneFromOthers(_ producerId: Int64) async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      func id() throws -> Int64 {
        let answer = try client.ask(.initProducerId(InitProducerIdRequest()), version: 4)
        let body = try answer.body(as: InitProducerIdResponse.self)
        #expect(body.errorCode == .none)
        #expect(Self.isFarFromABrokers(body.producerId))
        return body.producerId
      }
      var seen: Set<Int64> = [producerId]
      for madeUp in [producerId, try id() + 1, try id() + 1500] {
        seen.insert(madeUp)
        let batch = try TestBatch.make(
          ["x"], options: BatchOptions(producerId: madeUp, producerEpoch: 0, baseSequence: 0))
        #expect(try client.produce("t", batch).errorCode == .none)
        let found = try id()
        #expect(seen.insert(found).inserted, "\(found) twice")
      }
      for _ in 0..<2100 {
        let found = try id()
        #expect(seen.insert(found).inserted, "\(found) twice")
      }
    }
  }

  @Test func manyThreadsGetDifferentIds() async throws {
    let manager = try Self.open(SimulatedDisk())
    let ids = Self.ids(manager)
    let found = try await withThrowingTaskGroup(of: [Int64].self) { group in
      for _ in 0..<8 {
        group.addTask { try (0..<400).map { _ in try ids.next() } }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    #expect(Set(found).count == 3200)
  }
}
