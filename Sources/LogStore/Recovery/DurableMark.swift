package import DiskIO

/// The file `mkstore.mark` beside a log's segments: how far the log is durable, to the batch.
///
/// Kafka's recovery-point checkpoint is too expensive to rewrite at each sync, so the engine has
/// this mark in addition (docs/durability.md, docs/decisions/0002-durable-mark.md). Three slots,
/// each in a sector of its own: slots 0 and 1 take turns and are synced; slot 2 is rewritten after
/// every flush without a sync. It is exact after a kill and as old as the last write-back after a
/// power cut. A torn slot fails its CRC and the others count. Kafka ignores the file.
///
/// Owned by the holder of the log's flush role.
package final class DurableMark: Sendable {
  /// Name of the file.
  package static let fileName = "mkstore.mark"
  /// A slot has a sector to itself, so that tearing one cannot hurt another.
  package static let slotBytes = 512
  package static let slotCount = 3
  /// Bound of valid sequence numbers. A greater one can only be corruption and would overflow;
  /// restart at 0.
  private static let sequenceMax = UInt64.max / 2

  private let file: any DiskFile
  /// The identity of the file, read once: each slot names the file it was written to.
  private let birth: FileBirth?
  private let state: Locked<State>

  private struct State {
    var sequence: UInt64
    var nextDurableSlot: Int
    var scratch: [UInt8]
    /// The point of the last record that was written.
    var recoveryPoint = Int64.min
    /// Whether a sync of the file failed: a later one would prove nothing (I8).
    var hasFailed = false
  }

  private init(file: any DiskFile, sequence: UInt64, nextDurableSlot: Int) throws(DiskError) {
    self.file = file
    birth = try file.birth()
    state = Locked(
      State(
        sequence: sequence, nextDurableSlot: nextDurableSlot,
        scratch: [UInt8](repeating: 0, count: MarkRecord.byteCount)))
  }

  // MARK: Reading

  /// The valid slots of a log's mark, empty if it has none.
  package struct Contents: Sendable, Equatable {
    /// The synced slots' best.
    package var durable: MarkRecord?
    /// The unsynced slot.
    package var latest: MarkRecord?
    /// Whether the newest slot was written to another file: the mark was copied here, as one file
    /// among others, so it is from another moment than the files beside it.
    package var isCopy = false

    /// The newest valid slot.
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
    return try contents(slots(of: file), of: file)
  }

  /// The slots, nil for invalid ones. Bytes that the file lacks read as zeros, which match no CRC.
  private static func slots(of file: any DiskFile) throws(DiskError) -> [MarkRecord?] {
    var bytes = [UInt8](repeating: 0, count: slotBytes * slotCount)
    var span = bytes.mutableSpan
    _ = try file.read(into: &span, at: 0)
    return (0..<slotCount).map { index in
      let start = index * slotBytes
      return MarkRecord(bytes.span.extracting(start..<start + MarkRecord.byteCount))
    }
  }

  private static func contents(
    _ slots: [MarkRecord?], of file: any DiskFile
  ) throws(DiskError) -> Contents {
    let durable = slots[..<2].compactMap { $0 }.max { $0.sequence < $1.sequence }
    var contents = Contents(durable: durable, latest: slots[2])
    // If no file is named, or this file system reports no birth time, it counts as the log's own.
    if let written = contents.newest?.birth { contents.isCopy = try written != file.birth() }
    return contents
  }

  /// Opens the mark for writing, making it (unsynced) if it is missing.
  ///
  /// - Returns: The mark, and whether its name is new, so that the directory needs a sync.
  package static func open(_ directory: LogDirectory) throws(DiskError) -> (
    DurableMark, isNew: Bool
  ) {
    let path = directory.path(fileName)
    do {
      let file = try directory.disk.open(path, .readWrite)
      let slots = try slots(of: file)
      let contents = try contents(slots, of: file)
      let sequence = max(contents.durable?.sequence ?? 0, contents.latest?.sequence ?? 0)
      // Such a sequence number can only be corruption and would overflow; restart at 0.
      if sequence > sequenceMax {
        try file.truncate(to: 0)
        try file.allocate(to: slotBytes * slotCount)
        return (try DurableMark(file: file, sequence: 0, nextDurableSlot: 0), false)
      }
      // The slot that does not hold the newest durable record is the next that may be torn.
      let isFirst = slots[0] != nil && slots[0] == contents.durable
      return (
        try DurableMark(file: file, sequence: sequence, nextDurableSlot: isFirst ? 1 : 0), false
      )
    } catch  where error.isNotFound {
      let file = try directory.disk.open(path, .create)
      try file.allocate(to: slotBytes * slotCount)
      return (try DurableMark(file: file, sequence: 0, nextDurableSlot: 0), true)
    }
  }

  /// Replaces the mark, durably, by a new file with one record.
  ///
  /// For the first append after an unclean stop: an earlier sync of the file may have failed, and
  /// no later sync of the same file would make durable what it lost. And for the first append after
  /// the mark was copied, so that none of its slots names another file.
  package static func replace(_ directory: LogDirectory, with record: MarkRecord)
    throws(DiskError) -> DurableMark
  {
    let known = try read(directory).newest?.sequence ?? 0
    var record = record
    record.sequence = (known > sequenceMax ? 0 : known) + 1
    let (disk, path) = (directory.disk, directory.path)
    let new = try SmallFile.createReplacement(disk, directory: path, name: fileName)
    record.birth = try new.birth()
    try SmallFile.finishReplacement(
      new, disk, directory: path, name: fileName, content(record))
    let file = try directory.disk.open(directory.path(fileName), .readWrite)
    return try DurableMark(file: file, sequence: record.sequence, nextDurableSlot: 1)
  }

  /// A file with the record in its first and its unsynced slot.
  private static func content(_ record: MarkRecord) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: slotBytes * slotCount)
    for slot in [0, 2] {
      let start = slot * slotBytes
      var span = bytes.mutableSpan
      var content = span._mutatingExtracting(start..<start + MarkRecord.byteCount)
      record.encode(into: &content)
    }
    return bytes
  }

  // MARK: Writing

  /// Writes a flush to the unsynced slot: one small write.
  package func noteFlushed(_ record: MarkRecord) throws(DiskError) {
    try state.withLock { (state) throws(DiskError) in
      try write(record, slot: 2, &state)
    }
  }

  /// Writes a flush to a synced slot and makes it durable. The log and the index entries below the
  /// point were synced before.
  func noteDurable(_ record: MarkRecord) throws(DiskError) {
    try state.withLock { (state) throws(DiskError) in
      let slot = state.nextDurableSlot
      try write(record, slot: slot, &state)
      try write(record, slot: 2, &state)
      state.hasFailed = true
      try file.sync()
      state.hasFailed = false
      state.nextDurableSlot = 1 - slot
    }
  }

  private func write(_ record: MarkRecord, slot: Int, _ state: inout State) throws(DiskError) {
    precondition(!state.hasFailed, "I8: \(file.path) is written to after a failed sync")
    precondition(
      record.recoveryPoint >= state.recoveryPoint,
      "I7: the mark falls from \(state.recoveryPoint) to \(record.recoveryPoint)")
    state.recoveryPoint = record.recoveryPoint
    state.sequence += 1
    var record = record
    record.sequence = state.sequence
    record.birth = birth
    var span = state.scratch.mutableSpan
    record.encode(into: &span)
    try file.write(state.scratch.span, at: slot * Self.slotBytes)
  }
}
