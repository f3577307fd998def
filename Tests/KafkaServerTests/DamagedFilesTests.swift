import DiskIO
import LogStore
import MkstoreProtocol
import MkstoreServer
import RecordFormat
import Testing

/// Every file of a store is cut, swapped, emptied and taken away under a broker at work: it lives,
/// serves every record that is still there, and goes on taking records (P4).
struct DamagedFilesTests {
  enum Harm: CaseIterable {
    case emptied, halved, swapped, removed, directory
  }

  private static let recordCount = 90
  private static let time: Int64 = 1_700_000_000_000

  private static func log() -> LogConfig {
    var log = LogConfig()
    log.segmentBytes = 12_000
    log.indexIntervalBytes = 200
    return log
  }

  private static func value(_ index: Int) -> String {
    "\(index) " + String(repeating: "x", count: 300)
  }

  /// A batch of one record, from a producer with an id.
  private static func batch(_ index: Int) throws -> [UInt8] {
    try TestBatch.make(
      [(value(index), time + Int64(index))],
      options: BatchOptions(producerId: 9, producerEpoch: 0, baseSequence: Int32(index)))
  }

  /// A store with three segments and more, and each kind of file beside them.
  private static func makeStore(_ directory: String) async throws {
    try await TestBroker.with(directory, log: log()) { broker in
      let client = try broker.connect()
      _ = try client.ask(.initProducerId(InitProducerIdRequest()), version: 4)
      try client.create("t", configs: ["index.interval.bytes": "200"])
      for index in 0..<recordCount {
        #expect(try client.produce("t", try batch(index)).errorCode == .none)
      }
    }
    let disk = PosixDisk()
    // Not made by so short a life.
    for name in ["mkstore.history", "00000000000000000000.txnindex"] {
      let path = "\(directory)/t-0/\(name)"
      if try disk.status(path) == nil { _ = try disk.open(path, .create) }
    }
  }

  private static func files(_ directory: String, _ disk: PosixDisk) throws -> [String] {
    try disk.list(directory).flatMap { entry in
      entry.kind == .directory
        ? try files("\(directory)/\(entry.name)", disk).map { "\(entry.name)/\($0)" }
        : [entry.name]
    }.sorted()
  }

  private static func content(_ path: String, _ disk: PosixDisk) throws -> [UInt8] {
    let file = try disk.open(path, .read)
    var bytes = [UInt8](repeating: 0, count: try file.size())
    var target = bytes.mutableSpan
    _ = try file.read(into: &target, at: 0)
    return bytes
  }

  private static func copy(_ source: String, to target: String, _ disk: PosixDisk) throws {
    for name in try files(source, disk) {
      if name.hasPrefix("t-0/"), try disk.status("\(target)/t-0") == nil {
        try disk.makeDirectory("\(target)/t-0")
      }
      let bytes = try content("\(source)/\(name)", disk)
      try disk.open("\(target)/\(name)", .create).write(bytes.span, at: 0)
    }
  }

  private static func harm(
    _ name: String, in directory: String, _ harm: Harm, all: [String], _ disk: PosixDisk
  ) throws {
    let path = "\(directory)/\(name)"
    let size = try #require(try disk.status(path)).size
    switch harm {
    case .emptied: try disk.open(path, .readWrite).truncate(to: 0)
    case .halved: try disk.open(path, .readWrite).truncate(to: size / 2)
    case .removed: try disk.remove(path)
    case .directory:
      try disk.remove(path)
      try disk.makeDirectory(path)
    case .swapped:
      let kind = name.split(separator: ".").last
      let like = all.first { $0 != name && $0.split(separator: ".").last == kind }
      let other = like ?? (name == "meta.properties" ? ".lock" : "meta.properties")
      let bytes = try content("\(directory)/\(other)", disk)
      try disk.remove(path)
      try disk.open(path, .create).write(bytes.span, at: 0)
    }
  }

  /// Each of so many records is asked for.
  private static let step = 5

  /// Offsets of the records that a client gets, each asked for by itself, with the right values.
  private func served(_ broker: TestBroker, upTo end: Int) throws -> [Int] {
    let client = try broker.connect()
    // From the last one back, so that each is looked up.
    return try stride(from: 0, to: end, by: Self.step).reversed().filter { offset in
      let (partition, records) = try client.fetch(
        TestClient.fetchRequest("t", from: Int64(offset), partitionMaxBytes: 1))
      guard partition.errorCode == .none, !records.isEmpty else { return false }
      #expect(try values(of: records).first == Self.value(offset), "offset \(offset)")
      return true
    }
  }

  private func offset(_ client: TestClient, at time: Int64) throws -> Int64 {
    let answer = try client.ask(
      .listOffsets(
        .with { request in
          request.topics = [
            .with {
              $0.name = "t"
              $0.partitions = [
                .with {
                  $0.partitionIndex = 0
                  $0.timestamp = time
                }
              ]
            }
          ]
        }), version: 7)
    let body = try answer.body(as: ListOffsetsResponse.self)
    return try #require(body.topics.first?.partitions.first).offset
  }

  @Test(arguments: Harm.allCases)
  func theServerLivesAndServesWhatIsIntact(_ harm: Harm) async throws {
    let disk = PosixDisk()
    let original = TemporaryDirectory.make()
    defer { TemporaryDirectory.remove(original) }
    try await Self.makeStore(original)
    let names = try Self.files(original, disk)
    #expect(names.count { $0.hasSuffix(".log") } >= 3)
    for kind in ["snapshot", "txnindex", "mark", "producers", "topic", "metadata"] {
      #expect(names.contains { $0.hasSuffix(kind) }, "no file \(kind)")
    }
    var harmed = 0
    for name in names {
      let directory = TemporaryDirectory.make()
      defer { TemporaryDirectory.remove(directory) }
      try Self.copy(original, to: directory, disk)
      if try await check(name, harm, directory, names) { harmed += 1 }
    }
    #expect(harmed >= names.count - 2, "\(harmed) of \(names.count)")
  }

  /// Whether the file was there to be harmed.
  private func check(
    _ name: String, _ harm: Harm, _ directory: String, _ names: [String]
  ) async throws -> Bool {
    let disk = PosixDisk()
    let place = "\(name) \(harm)"
    let heard = CapturedLog()
    var isThere = false
    do {
      try await TestBroker.with(directory, log: Self.log(), storeHeardBy: heard) { broker in
        let client = try broker.connect()
        #expect(try served(broker, upTo: 40).count == 8)
        #expect(try client.produce("t", try Self.batch(Self.recordCount)).errorCode == .none)
        isThere = try disk.status("\(directory)/\(name)") != nil
        guard isThere else { return }
        try Self.harm(name, in: directory, harm, all: names, disk)
        try work(broker, name, place)
      }
    } catch let error as LogError {
      // A stop cannot be noted as clean over a log that was cut, or a directory in a file's place.
      #expect(name.hasSuffix(".log") || harm == .directory, "\(place): \(error)")
    }
    if isThere, name.hasSuffix("index"), !name.hasSuffix("txnindex"), harm == .emptied {
      #expect(heard.lines.contains { $0.contains("made from its log") }, "\(place): \(heard.lines)")
    }
    return isThere
  }

  /// Fetch, look-up by time, produce and roll.
  private func work(_ broker: TestBroker, _ name: String, _ place: String) throws {
    let isLog = name.hasSuffix(".log")
    let before = Self.recordCount + 1
    let intact = try served(broker, upTo: before)
    // At most the records of one segment are gone.
    let asked = (before + Self.step - 1) / Self.step
    #expect(intact.count >= (isLog ? asked - 8 : asked), "\(place): \(intact.count) served")
    let client = try broker.connect()
    for index in [5, 30, 60] where intact.contains(index) {
      let found = try offset(client, at: Self.time + Int64(index))
      #expect(found == Int64(index), "\(place): time of \(index)")
    }
    var results: Set<MkstoreProtocol.ErrorCode> = []
    for index in before..<before + 40 {
      results.insert(try client.produce("t", try Self.batch(index)).errorCode)
    }
    if isLog {
      #expect(!results.isEmpty)
    } else {
      #expect(results == [.none], "\(place)")
      let all = try served(broker, upTo: before + 40).count
      #expect(all == (before + 40 + Self.step - 1) / Self.step, "\(place)")
    }
    // Others are served as before.
    try client.create("u")
    #expect(try client.produce("u", try TestBatch.make(["y"])).errorCode == .none, "\(place)")
  }
}
