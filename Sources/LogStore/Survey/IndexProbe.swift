internal import DiskIO
internal import MkstoreBytes
internal import RecordFormat

/// Where a walk over a segment begins, and the facts about the bytes before.
struct WalkStart {
  var position: Int
  /// Offset of the first record at `position`.
  var offset: Int64
  /// Index entries that point to earlier positions.
  var prefix: IndexProbe.Prefix
  /// Greatest record time before `position`.
  var largest: TimestampOffset
  /// The segment's greatest time by the time index, if the start depends on it.
  var claimed: TimestampOffset?

  /// Whether a finished walk agrees with the index on which its start depended.
  func isConfirmed(by cursor: IndexCursor) -> Bool {
    guard let claimed else { return true }
    return cursor.largest == claimed || cursor.largest.timestamp > claimed.timestamp
  }
}

/// Reads single entries of a segment's index files, so that opening a log reads only a few bytes of
/// them whatever their size.
struct IndexProbe {
  /// How many leading entries of the two indexes may be kept, and their content.
  struct Prefix: Sendable, Equatable {
    var offsetEntries: Int
    var timeEntries: Int
    /// The last kept entries.
    var lastOffset: OffsetPosition?
    var lastTime: TimestampOffset?

    static let none = Prefix(
      offsetEntries: 0, timeEntries: 0, lastOffset: nil, lastTime: nil)
  }

  private let baseOffset: Int64
  private let log: any DiskFile
  /// nil if they are missing.
  private var offsets: (any DiskFile)?
  private var times: (any DiskFile)?
  /// Errors of opening or reading an index, which is then not used (I9).
  private(set) var faults: [DiskError] = []

  /// Opens the index files; they must not be replaced while the probe is in use.
  init(
    baseOffset: Int64, log: any DiskFile, disk: any Disk, path: (SegmentName.Kind) -> String
  ) throws(DiskError) {
    self.baseOffset = baseOffset
    self.log = ReadAroundFile.around(log)
    offsets = try open(path(.index), disk)
    times = try open(path(.timeindex), disk)
  }

  /// The index files that do not exist, or cannot be opened or read.
  var missing: [SegmentName.Kind] {
    (offsets == nil ? [.index] : []) + (times == nil ? [.timeindex] : [])
  }

  private mutating func open(_ path: String, _ disk: any Disk) throws(DiskError) -> (any DiskFile)?
  {
    do throws(DiskError) {
      return try disk.openIfPresent(path)
    } catch {
      if error.isOutOfDescriptors { throw error }
      faults.append(error)
      return nil
    }
  }

  /// The result of `body`, or nil if an index cannot be read.
  private mutating func doubting<Found>(
    _ body: (IndexProbe) throws(DiskError) -> Found?
  ) throws(DiskError) -> Found? {
    do throws(DiskError) {
      return try body(self)
    } catch {
      guard error.path == offsets?.path || error.path == times?.path else { throw error }
      faults.append(error)
      (offsets, times) = (nil, nil)
      return nil
    }
  }

  /// The entries that point below `position` and `offset`.
  ///
  /// - Returns: nil if an index is missing or its last kept entry contradicts the log: no entry may
  ///   then be kept.
  mutating func prefix(below position: Int, offset: Int64) throws(DiskError) -> Prefix? {
    try doubting { (probe) throws(DiskError) in try probe.readPrefix(below: position, offset) }
  }

  private func readPrefix(below position: Int, _ offset: Int64) throws(DiskError) -> Prefix? {
    guard let offsets, let times else { return nil }
    let base = baseOffset
    let offsetCount = try used(offsets, OffsetIndex.entryBytes) { bytes in
      Int(bytes.loadBigEndian(UInt32.self, at: 4)) < position
        && base.adding(relativeOffset: bytes.loadBigEndian(UInt32.self, at: 0)) < offset
    }
    let timeCount = try used(times, TimeIndex.entryBytes) { bytes in
      base.adding(relativeOffset: bytes.loadBigEndian(UInt32.self, at: 8)) < offset
    }
    return try prefix(offsets, offsetCount, times, timeCount)
  }

  /// The entries that a mark counted.
  ///
  /// - Returns: nil if an index is missing or too short, or its last counted entry contradicts the
  ///   log or the mark: no entry may then be kept.
  mutating func prefix(
    countedBy start: RecoveryPoint.ScanStart
  ) throws(DiskError) -> Prefix? {
    try doubting { (probe) throws(DiskError) in try probe.readPrefix(countedBy: start) }
  }

  private func readPrefix(
    countedBy start: RecoveryPoint.ScanStart
  ) throws(DiskError) -> Prefix? {
    guard let offsets, let times,
      try offsets.size() / OffsetIndex.entryBytes >= start.offsetEntries,
      try times.size() / TimeIndex.entryBytes >= start.timeEntries,
      let prefix = try prefix(offsets, start.offsetEntries, times, start.timeEntries)
    else { return nil }
    if let last = prefix.lastOffset,
      last.position >= start.position || last.offset >= start.offset
    {
      return nil
    }
    if let last = prefix.lastTime,
      last.timestamp > start.largest.timestamp || last.offset >= start.offset
    {
      return nil
    }
    return prefix
  }

  private func prefix(
    _ offsets: any DiskFile, _ offsetCount: Int, _ times: any DiskFile, _ timeCount: Int
  ) throws(DiskError) -> Prefix? {
    var prefix = Prefix(
      offsetEntries: offsetCount, timeEntries: timeCount, lastOffset: nil, lastTime: nil)
    if offsetCount > 0 {
      let last = try offsetEntry(offsets, offsetCount - 1)
      guard try isTrue(last) else { return nil }
      prefix.lastOffset = last
    }
    if timeCount > 0 { prefix.lastTime = try timeEntry(times, timeCount - 1) }
    return prefix
  }

  private func offsetEntry(_ file: any DiskFile, _ index: Int) throws(DiskError)
    -> OffsetPosition
  {
    let bytes = try entry(file, index, OffsetIndex.entryBytes)
    return OffsetPosition(
      offset: baseOffset.adding(
        relativeOffset: bytes.span.loadBigEndian(UInt32.self, at: 0)),
      position: Int(bytes.span.loadBigEndian(UInt32.self, at: 4)))
  }

  private func timeEntry(_ file: any DiskFile, _ index: Int) throws(DiskError) -> TimestampOffset {
    let bytes = try entry(file, index, TimeIndex.entryBytes)
    return TimestampOffset(
      timestamp: bytes.span.loadBigEndian(Int64.self, at: 0),
      offset: baseOffset.adding(
        relativeOffset: bytes.span.loadBigEndian(UInt32.self, at: 8)))
  }

  /// Where to begin a walk that finds the segment's end and its greatest timestamp: at the batch of
  /// the last offset entry at or before the last time entry. By that entry, if it is true,
  /// everything before is older. The walk meets that batch; if the entry is not true,
  /// `SegmentRecovery` starts again from the first byte.
  ///
  /// - Returns: nil if there is no such batch.
  mutating func start(before time: TimestampOffset) throws(DiskError) -> WalkStart? {
    try doubting { (probe) throws(DiskError) in try probe.findStart(before: time) }
  }

  private func findStart(before time: TimestampOffset) throws(DiskError) -> WalkStart? {
    guard let offsets, let times else { return nil }
    let base = baseOffset
    let offsetCount = try used(offsets, OffsetIndex.entryBytes) { bytes in
      base.adding(relativeOffset: bytes.loadBigEndian(UInt32.self, at: 0)) < time.offset
    }
    guard offsetCount > 0 else { return nil }
    let last = try offsetEntry(offsets, offsetCount - 1)
    guard let header = try header(at: last.position), header.lastOffset == last.offset,
      header.magic >= 2
    else { return nil }
    // The entry's own batch is walked over again, so it is not among the kept ones.
    var kept = Prefix(
      offsetEntries: offsetCount - 1, timeEntries: 0, lastOffset: nil, lastTime: nil)
    if offsetCount > 1 { kept.lastOffset = try offsetEntry(offsets, offsetCount - 2) }
    kept.timeEntries = try used(times, TimeIndex.entryBytes) { bytes in
      base.adding(relativeOffset: bytes.loadBigEndian(UInt32.self, at: 8)) < header.baseOffset
    }
    var largest = TimestampOffset(timestamp: -1, offset: base)
    if kept.timeEntries > 0 {
      largest = try timeEntry(times, kept.timeEntries - 1)
      kept.lastTime = largest
    }
    return WalkStart(
      position: last.position, offset: header.baseOffset, prefix: kept, largest: largest,
      claimed: time)
  }

  /// Whether a batch that ends at the entry's offset starts at its position (I9).
  private func isTrue(_ entry: OffsetPosition) throws(DiskError) -> Bool {
    try header(at: entry.position)?.lastOffset == entry.offset
  }

  private func header(at position: Int) throws(DiskError) -> BatchHeader? {
    var bytes = [UInt8](repeating: 0, count: BatchHeader.byteCountMin)
    var span = bytes.mutableSpan
    let count = try log.read(into: &span, at: position)
    do throws(BatchError) {
      return try BatchHeader(bytes.span.extracting(first: count))
    } catch {
      return nil
    }
  }

  /// Number of leading entries that are in use and match. A tail of zeros (position and offset 0,
  /// after the first entry) is not in use. Both use and `matches` are true up to some entry and
  /// false from there on.
  private func used(
    _ file: any DiskFile, _ entryBytes: Int, matches: (Span<UInt8>) -> Bool
  ) throws(DiskError) -> Int {
    var low = 0
    var high = try file.size() / entryBytes
    func isBelow(_ bytes: Span<UInt8>) -> Bool {
      bytes.indices.contains { bytes[$0] != 0 } && matches(bytes)
    }
    // The last few steps are one read: a start reads thousands of indexes.
    while (high - low) * entryBytes > Self.blockBytes {
      let middle = (low + high) / 2
      let bytes = try entry(file, middle, entryBytes)
      if isBelow(bytes.span) { low = middle + 1 } else { high = middle }
    }
    let (start, block) = (low, try read(file, low * entryBytes, (high - low) * entryBytes))
    while low < high {
      let middle = (low + high) / 2
      let position = (middle - start) * entryBytes
      let bytes = block.span.extracting(position..<(position + entryBytes))
      if isBelow(bytes) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Bytes of an index that are read at once.
  private static let blockBytes = 1024

  private func entry(_ file: any DiskFile, _ index: Int, _ entryBytes: Int) throws(DiskError)
    -> [UInt8]
  {
    try read(file, index * entryBytes, entryBytes)
  }

  /// The bytes at a position; zeros after the file's end.
  private func read(_ file: any DiskFile, _ position: Int, _ count: Int) throws(DiskError)
    -> [UInt8]
  {
    var bytes = [UInt8](repeating: 0, count: count)
    guard count > 0 else { return bytes }
    var span = bytes.mutableSpan
    _ = try file.read(into: &span, at: position)
    return bytes
  }
}
