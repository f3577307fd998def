internal import Bytes
package import DiskIO

/// What a log knows to be durable, as of one flush: the content of one slot of `mkstore.mark`.
package struct MarkRecord: Sendable, Equatable {
  /// Rises with every write; the highest valid slot speaks.
  package var sequence: UInt64
  /// Run of the operating system that wrote it, see `Disk.bootIdentifier`.
  package var bootIdentifier: UInt64
  /// All records below this offset were synced when the slot was written.
  package var recoveryPoint: Int64
  /// Segment that holds the recovery point, and the position of the point in it.
  package var segmentBaseOffset: Int64
  package var position: Int
  /// Greatest record time of that segment below the point, and the batch that first reached it.
  package var largest: TimestampOffset
  /// Entries of the segment's two indexes that stand for batches below the point.
  package var offsetEntries: Int
  package var timeEntries: Int
  /// Written at a clean close: what stands beyond the point later was not written by this engine.
  package var isClean: Bool
  /// No producer id that the log remembers stands below the point.
  package var isWithoutProducers = false
  /// This engine has written the log from its first record on, so that between two segments no
  /// offset is missing by right.
  package var isGapless = false
  /// What an acknowledgement of the writer meant; nil where an older engine did not say.
  package var durability: Durability?

  /// Whether a segment holds, or by its name follows, what was written after this: after a clean
  /// close, by somebody else.
  package func isOutrun(by baseOffset: Int64, byteCount: Int) -> Bool {
    if baseOffset > recoveryPoint { return true }
    return byteCount > 0
      && (baseOffset == segmentBaseOffset
        ? byteCount > position : baseOffset > segmentBaseOffset)
  }
}

/// The file `mkstore.mark` beside a log's segments: how far the log is durable, to the batch.
///
/// Kafka's recovery-point checkpoint is far too dear to rewrite at each sync, so the engine keeps
/// this mark too (docs/durability.md, docs/decisions/0002-durable-mark.md). Three slots, each in a
/// sector of its own: slots 0 and 1 take turns and are synced; slot 2 is rewritten after every
/// flush without a sync, exact after a kill and as old as the last write-back after a power cut. A
/// torn slot fails its CRC and the others speak. Kafka ignores the file.
///
/// Owned by whoever holds the log's flush role.
package final class DurableMark: Sendable {
  /// Name of the file.
  package static let fileName = "mkstore.mark"
  /// A slot has a sector to itself, so that tearing one cannot hurt another.
  package static let slotBytes = 512
  package static let slotCount = 3
  private static let contentBytes = 80
  /// No log counts so far; from half the numbers on a count is made up, and begins anew.
  private static let sequenceMax = UInt64.max / 2
  private static let magic: UInt64 = 0x6d6b_6d61_726b_3031  // "mkmark01"

  private let file: any DiskFile
  private let state: Locked<State>

  private struct State {
    var sequence: UInt64
    var nextDurableSlot: Int
    var scratch: [UInt8]
  }

  private init(file: any DiskFile, sequence: UInt64, nextDurableSlot: Int) {
    self.file = file
    state = Locked(
      State(
        sequence: sequence, nextDurableSlot: nextDurableSlot,
        scratch: [UInt8](repeating: 0, count: Self.contentBytes)))
  }

  // MARK: Reading

  /// The valid slots of a log's mark, empty where it has none.
  package struct Contents: Sendable, Equatable {
    /// The synced slots' best.
    package var durable: MarkRecord?
    /// The unsynced slot.
    package var latest: MarkRecord?

    /// The slot that knows most.
    package var newest: MarkRecord? {
      switch (durable, latest) {
      case (let durable?, let latest?):
        durable.sequence > latest.sequence ? durable : latest
      case (let durable, let latest): durable ?? latest
      }
    }
  }

  /// Reads the mark of a log, without a lock and without changing it.
  package static func read(_ directory: LogDirectory) throws(DiskError) -> Contents {
    guard let file = try directory.disk.openIfPresent(directory.path(fileName)) else {
      return Contents()
    }
    return try contents(of: file)
  }

  private static func contents(of file: any DiskFile) throws(DiskError) -> Contents {
    var bytes = [UInt8](repeating: 0, count: slotBytes * slotCount)
    var span = bytes.mutableSpan
    let count = try file.read(into: &span, at: 0)
    func slot(_ index: Int) -> MarkRecord? {
      let start = index * slotBytes
      guard start + contentBytes <= count else { return nil }
      return decode(bytes.span.extracting(start..<start + contentBytes))
    }
    let durable = [slot(0), slot(1)].compactMap { $0 }.max { $0.sequence < $1.sequence }
    return Contents(durable: durable, latest: slot(2))
  }

  /// Opens the mark for writing, making it (unsynced) where it is missing.
  ///
  /// - Returns: The mark, and whether its name is new and the directory needs a sync.
  package static func open(_ directory: LogDirectory) throws(DiskError) -> (
    DurableMark, isNew: Bool
  ) {
    let path = directory.path(fileName)
    do {
      let file = try directory.disk.open(path, .readWrite)
      let contents = try contents(of: file)
      let sequence = max(contents.durable?.sequence ?? 0, contents.latest?.sequence ?? 0)
      // Nobody could count on from it; who made it up cannot be asked, so it need not outlast this.
      if sequence > sequenceMax {
        try file.truncate(to: 0)
        try file.allocate(to: slotBytes * slotCount)
        return (DurableMark(file: file, sequence: 0, nextDurableSlot: 0), false)
      }
      // The slot that does not hold the best durable record is the one that may be torn next.
      var first = [UInt8](repeating: 0, count: contentBytes)
      var span = first.mutableSpan
      let isFirst =
        try file.read(into: &span, at: 0) == contentBytes
        && decode(first.span) == contents.durable && contents.durable != nil
      return (DurableMark(file: file, sequence: sequence, nextDurableSlot: isFirst ? 1 : 0), false)
    } catch  where error.isNotFound {
      let file = try directory.disk.open(path, .create)
      try file.allocate(to: slotBytes * slotCount)
      return (DurableMark(file: file, sequence: 0, nextDurableSlot: 0), true)
    }
  }

  /// Makes the mark anew with one record, durably, whatever was there.
  ///
  /// For the first append after an unclean stop: an earlier sync of the file may have failed, and
  /// what it did not make durable no later sync of the same file would.
  package static func replace(_ directory: LogDirectory, with record: MarkRecord)
    throws(DiskError) -> DurableMark
  {
    let known = try read(directory).newest?.sequence ?? 0
    var record = record
    record.sequence = (known > sequenceMax ? 0 : known) + 1
    var bytes = [UInt8](repeating: 0, count: slotBytes * slotCount)
    for slot in [0, 2] {
      var span = bytes.mutableSpan
      var content = span._mutatingExtracting(slot * slotBytes..<slot * slotBytes + contentBytes)
      encode(record, into: &content)
    }
    try SmallFile.writeAtomically(
      directory.disk, directory: directory.path, name: fileName, bytes)
    let file = try directory.disk.open(directory.path(fileName), .readWrite)
    return DurableMark(file: file, sequence: record.sequence, nextDurableSlot: 1)
  }

  // MARK: Writing

  /// Notes a flush in the unsynced slot: one small write.
  package func noteFlushed(_ record: MarkRecord) throws(DiskError) {
    try state.withLock { (state) throws(DiskError) in
      try write(record, slot: 2, &state)
    }
  }

  /// Notes a flush in a synced slot and makes it durable. The log and the index entries below the
  /// point were synced before.
  package func noteDurable(_ record: MarkRecord) throws(DiskError) {
    try state.withLock { (state) throws(DiskError) in
      let slot = state.nextDurableSlot
      try write(record, slot: slot, &state)
      try write(record, slot: 2, &state)
      try file.sync()
      state.nextDurableSlot = 1 - slot
    }
  }

  private func write(_ record: MarkRecord, slot: Int, _ state: inout State) throws(DiskError) {
    state.sequence += 1
    var record = record
    record.sequence = state.sequence
    var span = state.scratch.mutableSpan
    Self.encode(record, into: &span)
    try file.write(state.scratch.span, at: slot * Self.slotBytes)
  }

  // MARK: Layout (docs/format.md#mkstoremark)

  private static func encode(_ record: MarkRecord, into span: inout MutableSpan<UInt8>) {
    span.storeBigEndian(magic, at: 0)
    span.storeBigEndian(record.sequence, at: 8)
    span.storeBigEndian(record.bootIdentifier, at: 16)
    span.storeBigEndian(record.recoveryPoint, at: 24)
    span.storeBigEndian(record.segmentBaseOffset, at: 32)
    span.storeBigEndian(Int64(record.position), at: 40)
    span.storeBigEndian(record.largest.timestamp, at: 48)
    span.storeBigEndian(record.largest.offset, at: 56)
    span.storeBigEndian(MarkFlags(record).rawValue, at: 64)
    span.storeBigEndian(UInt32(clamping: record.offsetEntries), at: 68)
    span.storeBigEndian(UInt32(clamping: record.timeEntries), at: 72)
    span.storeBigEndian(CRC32C.checksum(span.span.extracting(0..<76)), at: 76)
  }

  private static func decode(_ bytes: Span<UInt8>) -> MarkRecord? {
    guard bytes.loadBigEndian(UInt64.self, at: 0) == magic,
      bytes.loadBigEndian(UInt32.self, at: 76) == CRC32C.checksum(bytes.extracting(0..<76))
    else { return nil }
    let position = bytes.loadBigEndian(Int64.self, at: 40)
    guard position >= 0, position <= Int64(UInt32.max) else { return nil }
    let flags = MarkFlags(rawValue: bytes.loadBigEndian(UInt32.self, at: 64))
    return MarkRecord(
      sequence: bytes.loadBigEndian(UInt64.self, at: 8),
      bootIdentifier: bytes.loadBigEndian(UInt64.self, at: 16),
      recoveryPoint: bytes.loadBigEndian(Int64.self, at: 24),
      segmentBaseOffset: bytes.loadBigEndian(Int64.self, at: 32),
      position: Int(position),
      largest: TimestampOffset(
        timestamp: bytes.loadBigEndian(Int64.self, at: 48),
        offset: bytes.loadBigEndian(Int64.self, at: 56)),
      offsetEntries: Int(bytes.loadBigEndian(UInt32.self, at: 68)),
      timeEntries: Int(bytes.loadBigEndian(UInt32.self, at: 72)),
      isClean: flags.isClean, isWithoutProducers: flags.isWithoutProducers,
      isGapless: flags.isGapless, durability: flags.durability)
  }
}

/// The flags of a mark (docs/format.md#mkstoremark).
private struct MarkFlags {
  var rawValue: UInt32

  init(rawValue: UInt32) { self.rawValue = rawValue }

  init(_ record: MarkRecord) {
    let mode: UInt32 =
      switch record.durability {
      case nil: 0
      case .flushed: 1 << 3
      case .interval(let milliseconds):
        2 << 3 | min(UInt32(clamping: milliseconds), UInt32.max >> 5) << 5
      case .operatingSystem: 3 << 3
      }
    rawValue =
      (record.isClean ? 1 : 0) | (record.isWithoutProducers ? 2 : 0) | (record.isGapless ? 4 : 0)
      | mode
  }

  var isClean: Bool { rawValue & 1 != 0 }
  var isWithoutProducers: Bool { rawValue & 2 != 0 }
  var isGapless: Bool { rawValue & 4 != 0 }
  var durability: Durability? {
    switch rawValue >> 3 & 3 {
    case 1: .flushed
    case 2: .interval(milliseconds: Int(rawValue >> 5))
    case 3: .operatingSystem
    default: nil
    }
  }
}
