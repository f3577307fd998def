import DiskIO
import Foundation
import Logging
import MkstoreServer
import StoreTesting
import Testing

@testable import LogStore

/// A log changes hands between Kafka's brokers and this engine: what fresh and old idempotent
/// producers were told was appended is there exactly once, at the offset that they were told.
struct HandOverTests {
  /// Who has the log in turn: B a broker, O this engine, R this engine without an append (as
  /// `mkstore recover`); a small letter is killed.
  static let plans = ["OBOBO", "oRBoRB", "boBRoOB"]

  @Test(arguments: KafkaVectors.directories, plans)
  func eachRecordIsThereOnce(_ directory: String, _ plan: String) throws {
    var run = try HandOver(directory)
    for turn in plan {
      switch turn {
      case "B", "b": try run.broker(isKilled: turn == "b")
      case "O", "o": try run.ours(isKilled: turn == "o")
      default: try run.oursWithoutAppends()
      }
      try run.check("\(plan), after \(turn)")
    }
    #expect(run.appendedCount >= 12)
  }

  @Test func theVectorsAreThere() {
    #expect(KafkaVectors.directories.count >= 12)
  }

  // MARK: From store to store

  /// A log's directory comes from another store, or from a copy of the same one, to a store that
  /// has given out ids before.
  @Test(arguments: [true, false])
  func aLogFromAnotherStoreTakesNoRecordsFromFreshProducers(isClone: Bool) throws {
    let disk = SimulatedDisk()
    var ids: Set<Int64> = []
    func session(
      _ store: String, seed: UInt64, _ body: (Store, ProducerIds) throws -> Void
    ) throws {
      let manager = try HandOver.open(disk, store)
      try body(manager, HandOver.ids(manager, seed: seed))
      try manager.closeBlocking()
    }
    func write(_ log: Log, _ id: Int64) throws {
      #expect(ids.insert(id).inserted)
      for sequence: Int32 in 0..<3 {
        var bytes = KafkaBatch(["\(id)"], producerId: id, epoch: 0, sequence: sequence).bytes
        let end = log.logEndOffset
        let result = try log.appendBlocking(batch: &bytes)
        #expect(!result.isDuplicate && result.baseOffset == end, "\(id) \(sequence)")
      }
    }
    let name = try TopicPartition(topic: "t", partition: 0)
    try session("/b", seed: 1) { _, ids in _ = try ids.next() }
    if isClone {
      for path in disk.paths where path.hasPrefix("/b/") {
        try disk.install("/a/" + path.dropFirst(3), disk.contents(of: path) ?? [])
      }
    } else {
      try session("/a", seed: 2) { _, ids in _ = try ids.next() }
    }
    try session("/b", seed: 3) { manager, ids in
      let log = try manager.createLogBlocking(name)
      for _ in 0..<3 { try write(log, ids.next()) }
    }
    for path in disk.paths where path.hasPrefix("/b/t-0/") {
      try disk.install("/a/" + path.dropFirst(3), disk.contents(of: path) ?? [])
    }
    for seed: UInt64 in 4..<7 {
      try session("/a", seed: seed) { manager, ids in
        let log = try #require(manager.log(name))
        for _ in 0..<3 { try write(log, ids.next()) }
      }
    }
    let stored = KafkaBatch.all(in: disk.contents(of: "/a/t-0/00000000000000000000.log") ?? [])
    #expect(stored.map(\.baseOffset) == Array(0..<36))
  }

  /// Every bit of the file of producer ids, under a log that knows the producers of the store.
  @Test func noFlippedBitOfTheIdsTakesARecord() throws {
    let disk = SimulatedDisk()
    let name = try TopicPartition(topic: "t", partition: 0)
    let path = "/data/\(ProducerIdsFile.name)"
    func write(_ disk: SimulatedDisk, seed: UInt64) throws {
      let manager = try HandOver.open(disk)
      let log = try manager.log(name) ?? manager.createLogBlocking(name)
      let id = try HandOver.ids(manager, seed: seed).next()
      for sequence: Int32 in 0..<3 {
        var bytes = KafkaBatch(["v"], producerId: id, epoch: 0, sequence: sequence).bytes
        #expect(try !log.appendBlocking(batch: &bytes).isDuplicate, "\(seed)")
      }
      try manager.closeBlocking()
    }
    for seed: UInt64 in 1...3 { try write(disk, seed: seed) }
    let bytes = try #require(disk.contents(of: path))
    for bit in 0..<bytes.count * 8 {
      let copy = disk.kill()
      var flipped = bytes
      flipped[bit / 8] ^= 1 << (bit % 8)
      try copy.install(path, flipped)
      try write(copy, seed: UInt64(bit) + 4)
    }
  }
}

/// One log on its way through owners.
private struct HandOver {
  private var disk = SimulatedDisk(seed: 31)
  private let name: String
  private var metadata = BrokerModel.Metadata(greatest: -1)
  /// The next batch of each producer that has written so far, and its last one with its offset.
  private var producers: [(next: KafkaBatch, last: KafkaBatch?)] = []
  /// What was acknowledged, by offset.
  private var appended: [Int64: KafkaBatch] = [:]
  private var original: [String: [UInt8]] = [:]
  private var turn: UInt64 = 0

  var appendedCount: Int { appended.count }

  init(_ directory: String) throws {
    name = directory.split(separator: "/").last.map(String.init) ?? ""
    for file in KafkaVectors.names(in: directory) {
      try disk.install("/data/\(name)/\(file)", KafkaVectors.bytes("\(directory)/\(file)"))
    }
    if !directory.contains("unclean") { try disk.install("/data/.kafka_cleanshutdown", []) }
    // The models are of the cluster that wrote the vectors; its producers go on writing.
    metadata = BrokerModel.Metadata(greatest: stored.map(\.producerId).max() ?? -1)
    for (id, batches) in Dictionary(grouping: stored, by: \.producerId) where id >= 0 {
      let last = batches.last { !$0.isControl }
      guard let last, let newest = batches.last, newest.producerEpoch == last.producerEpoch,
        !last.isTransactional
      else { continue }
      let next = KafkaBatch(
        ["old"], producerId: id, epoch: last.producerEpoch, sequence: last.lastSequence + 1)
      producers.append((next, nil))
    }
    for path in logs { original[path] = disk.contents(of: path) }
  }

  // MARK: Owners

  mutating func broker(isKilled: Bool) throws {
    var broker = try BrokerModel(disk, store: "/data", log: name, &metadata)
    try write(fresh: { broker.initProducerId() }) { batch in try broker.produce(batch) }
    if !isKilled { try broker.stop() }
  }

  mutating func ours(isKilled: Bool) throws {
    let manager = try Self.open(disk)
    let ids = Self.ids(manager, seed: turn)
    let log = try #require(manager.log(try TopicPartition(directoryName: name)))
    try write(fresh: { try ids.next() }) { batch in
      var bytes = batch.bytes
      let result = try log.appendBlocking(batch: &bytes)
      return result.isDuplicate ? .duplicate(result.baseOffset) : .appended(result.baseOffset)
    }
    if isKilled { disk = disk.kill() } else { try manager.closeBlocking() }
  }

  mutating func oursWithoutAppends() throws { try Self.open(disk).closeBlocking() }

  static func open(_ disk: SimulatedDisk, _ path: String = "/data") throws -> Store {
    var config = StoreConfig()
    config.createsStore = true
    config.startsFlusher = false
    config.fetcherCores = []
    // Before the records of the vectors, so that none of their producers is forgotten.
    config.nowMs = { 1_700_000_000_000 }
    let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    return try Store.openBlocking(path, config: config, disk: disk, logger: quiet)
  }

  static func ids(_ manager: Store, seed: UInt64) -> ProducerIds {
    ProducerIds(
      manager, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      using: SeededGenerator(seed: seed))
  }

  // MARK: Clients

  /// Every old producer sends its last batch again and goes on; two fresh ones begin.
  private mutating func write(
    fresh: () throws -> Int64, _ produce: (KafkaBatch) throws -> BrokerModel.Answer
  ) throws {
    turn += 1
    for index in producers.indices {
      if let last = producers[index].last {
        #expect(try produce(last.moved(to: 0)) == .duplicate(last.baseOffset), "\(name) \(turn)")
      }
      try send(index, produce)
    }
    for _ in 0..<2 {
      let id = try fresh()
      producers.append((KafkaBatch(["a", "b"], producerId: id, epoch: 0, sequence: 0), nil))
      for _ in 0..<3 { try send(producers.count - 1, produce) }
    }
  }

  private mutating func send(
    _ index: Int, _ produce: (KafkaBatch) throws -> BrokerModel.Answer
  ) throws {
    let batch = producers[index].next
    let answer = try produce(batch)
    guard case .appended(let offset) = answer else {
      Issue.record("\(name), turn \(turn): \(batch.producerId) was answered \(answer)")
      return
    }
    let stored = batch.moved(to: offset)
    #expect(appended.updateValue(stored, forKey: offset) == nil, "\(offset) given twice")
    let next = KafkaBatch(
      ["c", "turn \(turn)"], producerId: batch.producerId, epoch: batch.producerEpoch,
      sequence: batch.lastSequence + 1)
    producers[index] = (next, stored)
  }

  // MARK: The log

  private var logs: [String] {
    disk.paths.filter {
      $0.hasPrefix("/data/\(name)/") && $0.hasSuffix(".log") && !$0.contains("/.bad/")
    }.sorted()
  }

  private var stored: [KafkaBatch] {
    logs.flatMap { KafkaBatch.all(in: disk.contents(of: $0) ?? []) }
  }

  /// What was acknowledged is there, once, and so is what was there at first.
  func check(_ when: String) throws {
    let found = stored
    #expect(
      zip(found, found.dropFirst()).allSatisfy { $0.lastOffset < $1.baseOffset }, "\(when)")
    let ours = Set(appended.values.map(\.producerId))
    let written = found.filter {
      ours.contains($0.producerId) && $0.baseOffset >= appended.keys.min() ?? 0
    }
    #expect(written.map(\.baseOffset) == appended.keys.sorted(), "\(name), \(when)")
    for batch in written {
      // Base offset and leader epoch lie outside the CRC.
      #expect(
        batch.bytes.dropFirst(16) == appended[batch.baseOffset]?.bytes.dropFirst(16),
        "\(name), \(when): offset \(batch.baseOffset)")
    }
    for (path, bytes) in original {
      let whole = KafkaBatch.all(in: bytes).reduce(0) { $0 + $1.bytes.count }
      // An empty segment that the cleaner left may be gone.
      let found = disk.contents(of: path) ?? []
      #expect(found.prefix(whole) == bytes.prefix(whole), "\(path), \(when)")
    }
  }
}
