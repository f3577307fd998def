internal import DiskIO
internal import Glibc
internal import RecordFormat

/// What a journal's entries add to one log: batches that were acknowledged and that the log's own
/// files do not hold, or do not hold whole, after a crash.
///
/// An entry counts only where it continues its log exactly. Batches that the log holds are done;
/// where it ends, or holds no valid batch, they are written. Where it holds another batch in their
/// place, another program has written the log since, and the rest is lost: it is kept in `.bad/`
/// and reported. Bytes below the mark's point were synced and are not touched: if they differ, that
/// is damage, which the survey finds.
struct JournalReplay {
  /// Bytes that belong to a segment from a position on.
  struct Piece: Sendable {
    var segmentBase: Int64
    var position: Int
    var bytes: [UInt8]
  }

  /// Batches to write, in the order in which they were appended.
  private(set) var writes: [Piece] = []
  /// Batches that do not continue the log.
  private(set) var left: [Piece] = []
  /// The offsets that are lost, and why.
  private(set) var losses: [DamagedRange] = []

  private let directory: LogDirectory
  /// All segments' bases.
  private let bases: [Int64]
  private let mark: MarkRecord?
  private let startOffset: Int64
  /// Whether the log is a copy, made file by file: then the journal is from another moment.
  private let isCopy: Bool
  /// Whether an entry did not continue the log.
  private var hasEnded = false
  /// Where each segment is known to be whole and to continue.
  private var reached: [Int64: Int] = [:]
  /// Sizes of the segments, with what is to be written.
  private var sizes: [Int64: Int] = [:]

  /// Whether nothing changes and nothing is lost.
  var isEmpty: Bool { writes.isEmpty && losses.isEmpty }

  /// Compares entries with the log's files; changes nothing.
  ///
  /// - Parameters:
  ///   - entries: In the order in which they were written.
  ///   - startHint: The log's start by the store's checkpoint.
  ///   - fresh: Whether what the page cache holds of the files may differ from the disk, so that it
  ///     must be synced and dropped first.
  init(
    _ entries: [JournalContents.Located], in directory: LogDirectory, startHint: Int64?,
    fresh: Bool
  ) throws(DiskError) {
    self.directory = directory
    let mark = try DurableMark.read(directory)
    // The points of a copy say nothing of its files.
    self.mark = mark.isCopy ? nil : mark.newest
    isCopy = mark.isCopy
    bases = try directory.disk.list(directory.path).compactMap { entry in
      SegmentName(entry.name).flatMap { $0.isLog && $0.stage == nil ? $0.baseOffset : nil }
    }
    startOffset = max(startHint ?? 0, Self.ownStart(directory))
    guard try isOfThisLog(entries, hasMark: mark.newest != nil) else { return }
    for entry in entries where entry.entry.offsets.upperBound > max(startOffset, syncedEnd) {
      if hasEnded {
        try leave(entry, from: 0, because: nil)
      } else {
        try judge(entry, fresh: fresh)
      }
    }
  }

  private static func ownStart(_ directory: LogDirectory) -> Int64 {
    do throws(CheckpointError) {
      return try LogStartFile.read(directory)?.offset ?? 0
    } catch {
      return 0
    }
  }

  /// Everything below was synced in the log's own files.
  private var syncedEnd: Int64 { mark?.recoveryPoint ?? 0 }

  /// Whether the directory is that of the log that the entries are of, and not of a later one of
  /// its name.
  private func isOfThisLog(
    _ entries: [JournalContents.Located], hasMark: Bool
  ) throws(DiskError) -> Bool {
    guard let id = entries.last?.entry.topicId else { return false }
    do throws(CheckpointError) {
      let found = try PartitionMetadata.read(directory.disk, directory: directory.path)
      guard let found, id != .zero else { return hasMark }
      return found.topicId == id
    } catch {
      if case .disk(let error) = error { throw error }
      return hasMark
    }
  }

  // MARK: Judging

  private mutating func judge(
    _ located: JournalContents.Located, fresh: Bool
  ) throws(DiskError) {
    let entry = located.entry
    let base = entry.segmentBase
    guard bases.contains(base) else {
      // A running writer may have deleted it meanwhile.
      if Self.ownStart(directory) >= entry.offsets.upperBound { return }
      return try leave(located, from: 0, because: "the segment is gone")
    }
    if bases.contains(where: { $0 > base && $0 < entry.offsets.upperBound }) {
      return try leave(located, from: 0, because: "another segment begins among their offsets")
    }
    let log = try directory.disk.open(path(base), .read)
    if sizes[base] == nil { try begin(base, log, fresh: fresh) }
    guard try isReached(entry, log) else {
      return try leave(located, from: 0, because: "the log does not reach their place")
    }
    guard let bytes = try located.batches(directory.disk) else {
      return try takeOnlyCopy(located, log)
    }
    try compare(located, bytes, log)
  }

  private mutating func begin(
    _ base: Int64, _ log: any DiskFile, fresh: Bool
  ) throws(DiskError) {
    let known = mark.flatMap { $0.segmentBaseOffset == base ? $0.position : nil } ?? 0
    var size = try log.size()
    if fresh {
      // What is only in memory must not be taken for what the disk holds.
      let file = try directory.disk.open(path(base), .readWrite)
      try file.sync()
      size = try file.size()
      let synced = min(known, size)
      file.advise(.dontNeed, at: synced, count: size - synced)
    }
    sizes[base] = size
    reached[base] = known
  }

  /// Whether valid batches, or pieces to write, lead up to an entry.
  private mutating func isReached(
    _ entry: JournalEntry, _ log: any DiskFile
  ) throws(DiskError) -> Bool {
    let known = reached[entry.segmentBase] ?? 0
    if entry.position <= known { return true }
    guard try log.size() >= entry.position else { return false }
    var scanner = SegmentScanner(
      log, from: known, endPosition: entry.position, expectedOffset: entry.segmentBase,
      offsetLimit: entry.offsets.lowerBound)
    while case .batch = try scanner.next() {}
    return scanner.position == entry.position
  }

  /// Compares an entry's batches with what the log holds in their place.
  private mutating func compare(
    _ located: JournalContents.Located, _ bytes: [UInt8], _ log: any DiskFile
  ) throws(DiskError) {
    let entry = located.entry
    let found = try content(log, entry.position, bytes.count)
    defer { reached[entry.segmentBase] = entry.position + bytes.count }
    guard found != bytes else { return }
    var start = 0
    while start < bytes.count, let brief = BatchBrief(bytes.span.extracting(start...)) {
      let end = min(bytes.count, start + brief.byteCount)
      // Below the point the log is judged by itself.
      let isBelow = brief.lastOffset < syncedEnd
      if !isBelow, start >= found.count { break }
      if !isBelow, found[start..<min(end, found.count)] != bytes[start..<end] { break }
      start = end
    }
    guard start < bytes.count else { return }
    if try holdsAnotherBatch(log, at: entry.position + start, entry) {
      return try leave(located, from: start, because: "the log holds other records in their place")
    }
    writes.append(
      Piece(
        segmentBase: entry.segmentBase, position: entry.position + start,
        bytes: Array(bytes[start...])))
    sizes[entry.segmentBase] = max(
      sizes[entry.segmentBase] ?? 0, entry.position + bytes.count)
  }

  private func content(
    _ log: any DiskFile, _ position: Int, _ count: Int
  ) throws(DiskError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    do throws(DiskError) {
      var span = bytes.mutableSpan
      bytes.removeLast(count - (try log.read(into: &span, at: position)))
      return bytes
    } catch  where error.isUnreadableSector {
      return []
    }
  }

  /// Whether a valid batch is at a position where an entry's batches are not.
  private func holdsAnotherBatch(
    _ log: any DiskFile, at position: Int, _ entry: JournalEntry
  ) throws(DiskError) -> Bool {
    var scanner = SegmentScanner(
      log, from: position, endPosition: max(position, try log.size()),
      expectedOffset: entry.offsets.lowerBound,
      offsetLimit: SegmentScanner.offsetLimit(after: entry.segmentBase))
    guard case .batch = try scanner.next() else { return false }
    return true
  }

  /// The journal's bytes are damaged: those of the log's own file are the only ones.
  private mutating func takeOnlyCopy(
    _ located: JournalContents.Located, _ log: any DiskFile
  ) throws(DiskError) {
    let entry = located.entry
    let end = entry.position + entry.byteCount
    var scanner = SegmentScanner(
      log, from: entry.position, endPosition: min(end, max(entry.position, try log.size())),
      expectedOffset: entry.offsets.lowerBound, offsetLimit: entry.offsets.upperBound)
    while case .batch = try scanner.next() {}
    if scanner.position == end {
      reached[entry.segmentBase] = end
    } else {
      try leave(located, from: 0, because: "the journal is damaged there")
    }
  }

  /// Sets the rest of an entry aside.
  private mutating func leave(
    _ located: JournalContents.Located, from start: Int, because reason: String?
  ) throws(DiskError) {
    hasEnded = true
    // A copy just ends earlier.
    if isCopy { return }
    let entry = located.entry
    var first = entry.offsets.lowerBound
    if let bytes = try located.batches(directory.disk) {
      let rest = Array(bytes[start...])
      if start > 0, let brief = BatchBrief(rest.span) { first = brief.baseOffset }
      left.append(
        Piece(segmentBase: entry.segmentBase, position: entry.position + start, bytes: rest))
    }
    guard let reason else {
      let last = losses.count - 1
      losses[last].offsets = losses[last].offsets.map {
        $0.lowerBound..<max($0.upperBound, entry.offsets.upperBound)
      }
      return
    }
    losses.append(
      DamagedRange(
        file: path(entry.segmentBase), bytes: entry.position + start..<entry.position + start,
        offsets: max(first, startOffset)..<entry.offsets.upperBound,
        reason: "acknowledged records do not continue the log: \(reason)"))
  }

  private func path(_ base: Int64) -> String {
    directory.path(SegmentName(base, .log).fileName)
  }

  // MARK: Carrying out

  /// Writes what is missing to the log's files and keeps what does not continue it, durably; after
  /// a crash the same again does the rest.
  func run() throws(DiskError) {
    for piece in left { try keep(piece) }
    var files: [Int64: any DiskFile] = [:]
    for piece in writes {
      let file: any DiskFile
      if let open = files[piece.segmentBase] {
        file = open
      } else {
        file = try directory.disk.open(path(piece.segmentBase), .readWrite)
        files[piece.segmentBase] = file
      }
      try file.write(piece.bytes.span, at: piece.position)
    }
    for (_, file) in files { try file.sync() }
  }

  private func keep(_ piece: Piece) throws(DiskError) {
    let kept = try KeptBytes.keep(
      piece.bytes, at: piece.position, named: SegmentName(piece.segmentBase, .log).fileName,
      in: directory)
    // These bytes were acknowledged: without room for a copy they stay in the journal.
    if kept == nil {
      throw DiskError(.write, directory.path(KeptBytes.directoryName), code: ENOSPC)
    }
  }
}
