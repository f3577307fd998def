import StoreTesting

/// A Kafka broker's session over a store, as far as idempotent producers are concerned, written
/// from Kafka's own code and not from the engine's: which ids it gives out, what it reads when it
/// starts (`UnifiedLog.rebuildProducerState`, `ProducerStateManager`), how it judges a batch
/// (`ProducerAppendInfo`), and what it leaves when it stops.
struct BrokerModel {
  /// What a broker remembers beside its log directories: the metadata log of its cluster.
  struct Metadata {
    private var nextProducerId: Int64

    /// - Parameter greatest: The greatest id that the cluster's brokers have given out before.
    init(greatest: Int64) { nextProducerId = (greatest + 1000) / 1000 * 1000 }

    /// A block of a thousand ids; the first begins at 0.
    mutating func takeBlock() -> Int64 {
      defer { nextProducerId += 1000 }
      return nextProducerId
    }
  }

  enum Answer: Equatable {
    case appended(Int64)
    case duplicate(Int64)
    case outOfOrder(expected: Int32)
    case fenced
  }

  private struct Producer {
    var epoch: Int16
    var batches: [KafkaBatch] = []
    var timestamp: Int64
    var coordinatorEpoch: Int32 = -1
    var transactionStart: Int64 = -1
  }

  private let disk: SimulatedDisk
  private let store: String
  private let log: String
  private var producers: [Int64: Producer] = [:]
  private var nextId: Int64
  private(set) var endOffset: Int64 = 0
  private var active = ""

  /// Starts: reads the log as a broker does.
  init(_ disk: SimulatedDisk, store: String, log: String, _ metadata: inout Metadata) throws {
    (self.disk, self.store, self.log) = (disk, store, "\(store)/\(log)")
    nextId = metadata.takeBlock()
    let marker = "\(store)/.kafka_cleanshutdown"
    let isClean = disk.contents(of: marker) != nil
    if isClean { try disk.remove(marker) }
    let batches = segments.flatMap { KafkaBatch.all(in: disk.contents(of: $0) ?? []) }
    if !isClean { try cutUnfinishedEnd() }
    active = segments.last ?? "\(self.log)/\(Self.name(0)).log"
    endOffset = max(batches.last.map { $0.lastOffset + 1 } ?? 0, Self.offset(active))
    for offset in snapshots where offset > endOffset { try disk.remove(snapshotPath(offset)) }
    // "The absence of producer snapshot files" after a clean stop: nobody is known.
    if snapshots.isEmpty && isClean { return }
    var read: Int64 = 0
    for offset in snapshots.reversed() {
      if load(disk.contents(of: snapshotPath(offset)) ?? []) {
        read = offset
        break
      }
      try disk.remove(snapshotPath(offset))
    }
    for batch in batches where batch.lastOffset >= read { note(batch) }
  }

  /// What recovery cuts: the end of the last segment behind its last whole batch.
  private func cutUnfinishedEnd() throws {
    guard let last = segments.last, let bytes = disk.contents(of: last) else { return }
    let whole = KafkaBatch.all(in: bytes).reduce(0) { $0 + $1.bytes.count }
    if whole < bytes.count { try disk.install(last, Array(bytes.prefix(whole))) }
  }

  // MARK: Clients

  mutating func initProducerId() -> Int64 {
    defer { nextId += 1 }
    return nextId
  }

  /// Judges a producer's batch and appends it.
  mutating func produce(_ batch: KafkaBatch) throws -> Answer {
    if let known = producers[batch.producerId] {
      let same = known.batches.first {
        $0.baseSequence == batch.baseSequence && $0.lastSequence == batch.lastSequence
      }
      if batch.producerEpoch == known.epoch, let same { return .duplicate(same.baseOffset) }
      if batch.producerEpoch < known.epoch { return .fenced }
      let last = known.batches.last?.lastSequence ?? -1
      let expected = batch.producerEpoch > known.epoch ? 0 : last + 1
      guard batch.baseSequence == expected else { return .outOfOrder(expected: expected) }
    }
    let stored = batch.moved(to: endOffset)
    try disk.install(active, (disk.contents(of: active) ?? []) + stored.bytes)
    note(stored)
    endOffset = stored.lastOffset + 1
    return .appended(stored.baseOffset)
  }

  /// Stops in order: a snapshot at the end, the checkpoint, the marker.
  func stop() throws {
    try disk.install(snapshotPath(endOffset), encoded)
    let dash = log.lastIndex(of: "-")!
    let topic = log[..<dash].split(separator: "/").last!
    let line = "\(topic) \(log[log.index(after: dash)...]) \(endOffset)"
    for name in ["recovery-point-offset-checkpoint", "replication-offset-checkpoint"] {
      try disk.install("\(store)/\(name)", Array("0\n1\n\(line)\n".utf8))
    }
    try disk.install(
      "\(store)/.kafka_cleanshutdown", Array(#"{"version":0,"brokerEpoch":7}"#.utf8))
  }

  // MARK: State

  private mutating func note(_ batch: KafkaBatch) {
    guard batch.producerId >= 0 else { return }
    if batch.isControl && batch.controlType == nil { return }
    var known =
      producers[batch.producerId]
      ?? Producer(epoch: batch.producerEpoch, timestamp: batch.maxTimestamp)
    if known.epoch != batch.producerEpoch { known.batches = [] }
    known.epoch = batch.producerEpoch
    known.timestamp = batch.maxTimestamp
    if batch.isControl {
      known.transactionStart = -1
      known.coordinatorEpoch = 4
    } else {
      known.batches = Array((known.batches + [batch]).suffix(5))
      if batch.isTransactional, known.transactionStart < 0 {
        known.transactionStart = batch.baseOffset
      }
    }
    producers[batch.producerId] = known
  }

  private mutating func load(_ bytes: [UInt8]) -> Bool {
    func number<T: FixedWidthInteger>(_ at: Int, _: T.Type) -> T {
      bytes[at..<at + MemoryLayout<T>.size].reduce(0) { $0 << 8 | T(truncatingIfNeeded: $1) }
    }
    guard bytes.count >= 10, number(0, Int16.self) == 1,
      number(2, UInt32.self) == KafkaBatch.crc32c(bytes[6...])
    else { return false }
    for index in 0..<Int(number(6, Int32.self)) {
      let at = 10 + index * 46
      var known = Producer(
        epoch: number(at + 8, Int16.self), timestamp: number(at + 26, Int64.self))
      known.coordinatorEpoch = number(at + 34, Int32.self)
      known.transactionStart = number(at + 38, Int64.self)
      let (last, sequence) = (number(at + 14, Int64.self), number(at + 10, Int32.self))
      if last >= 0 {
        let delta = number(at + 22, Int32.self)
        var batch = KafkaBatch([], producerId: number(at, Int64.self), epoch: known.epoch)
        (batch.lastOffset, batch.baseOffset) = (last, last - Int64(delta))
        batch.baseSequence = sequence - delta
        known.batches = [batch]
      }
      producers[number(at, Int64.self)] = known
    }
    return true
  }

  private var encoded: [UInt8] {
    var body = KafkaBatch.big(Int32(producers.count))
    for (id, known) in producers {
      let last = known.batches.last
      body += KafkaBatch.big(id) + KafkaBatch.big(known.epoch)
      body += KafkaBatch.big(last?.lastSequence ?? -1) + KafkaBatch.big(last?.lastOffset ?? -1)
      body += KafkaBatch.big(last.map { Int32($0.lastOffset - $0.baseOffset) } ?? 0)
      body += KafkaBatch.big(known.timestamp) + KafkaBatch.big(known.coordinatorEpoch)
      body += KafkaBatch.big(known.transactionStart)
    }
    return KafkaBatch.big(Int16(1)) + KafkaBatch.big(KafkaBatch.crc32c(body)) + body
  }

  // MARK: Files

  private static func name(_ offset: Int64) -> String {
    let digits = "\(offset)"
    return String(repeating: "0", count: 20 - digits.count) + digits
  }

  private static func offset(_ path: String) -> Int64 {
    Int64(path.split(separator: "/").last!.prefix { $0 != "." }) ?? -1
  }

  private func files(_ suffix: String) -> [String] {
    disk.paths.filter {
      $0.hasPrefix(log + "/") && $0.hasSuffix(suffix) && !$0.dropFirst(log.count + 1).contains("/")
    }.sorted()
  }

  private var segments: [String] { files(".log") }
  private var snapshots: [Int64] { files(".snapshot").map(Self.offset) }
  private func snapshotPath(_ offset: Int64) -> String { "\(log)/\(Self.name(offset)).snapshot" }
}
