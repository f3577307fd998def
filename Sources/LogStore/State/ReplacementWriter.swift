internal import DiskIO
internal import Glibc
internal import RecordFormat

/// Writes the files of a segment that is to replace others: copied batches, and new ones between
/// them. One thread.
struct ReplacementWriter: ~Copyable {
  private let baseOffset: Int64
  private let directory: LogDirectory
  private let intervalBytes: Int
  private let log: any DiskFile
  private var position = 0
  /// The aborted transactions that end in the segment; written by `finish`.
  var aborted: [AbortedTransaction] = []

  private var disk: any Disk { directory.disk }

  /// Begins an empty segment, replacing files that a crash may have left under its names.
  init(
    baseOffset: Int64, in directory: LogDirectory, intervalBytes: Int
  ) throws(DiskError) {
    self.baseOffset = baseOffset
    self.directory = directory
    self.intervalBytes = intervalBytes
    for kind in [SegmentName.Kind.log, .index, .timeindex, .txnindex] {
      try KeptBytes.remove(Self.path(kind, baseOffset, directory), directory.disk)
    }
    log = try directory.disk.open(Self.path(.log, baseOffset, directory), .create)
  }

  private static func path(
    _ kind: SegmentName.Kind, _ baseOffset: Int64, _ directory: LogDirectory
  ) -> String {
    directory.path(SegmentName(baseOffset, kind, stage: .cleaned).fileName)
  }

  /// Appends a batch.
  mutating func append(_ batch: Span<UInt8>) throws(DiskError) {
    try log.write(batch, at: position)
    position += batch.count
  }

  /// Appends bytes of another file, whole batches; `finish` checks them.
  mutating func append(
    _ bytes: Range<Int>, of file: any DiskFile
  ) throws(DiskError) {
    var buffer = [UInt8](repeating: 0, count: min(bytes.count, 1 << 20))
    var next = bytes.lowerBound
    while next < bytes.upperBound {
      var target = buffer.mutableSpan
      let wanted = min(target.count, bytes.upperBound - next)
      var part = target._mutatingExtracting(first: wanted)
      let count = try file.read(into: &part, at: next)
      guard count > 0 else { throw DiskError.cutShort(file.path) }
      try append(buffer.span.extracting(first: count))
      next += count
    }
  }

  /// Checks every batch that was written, CRC and order, makes both indexes, and makes everything
  /// durable.
  ///
  /// - Parameter isDamaged: Whether it may contain bytes that are no valid batch, as when damage is
  ///   restored.
  /// - Throws: Also if a batch is not valid (EILSEQ). The next replacement of this name, or the
  ///   next opening, removes the files.
  consuming func finish(isDamaged: Bool = false) throws(DiskError) -> ReplacementFiles {
    var built = IndexAccumulator(baseOffset: baseOffset, intervalBytes: intervalBytes)
    var scanner = SegmentScanner(
      log, endPosition: position, expectedOffset: baseOffset,
      offsetLimit: SegmentScanner.offsetLimit(after: baseOffset))
    walk: while true {
      switch try scanner.next() {
      case .batch(let header, let position): built.note(header, at: position)
      case .invalid:
        guard isDamaged else { throw DiskError(.read, log.path, code: EILSEQ) }
        _ = try scanner.resume()
      case .end: break walk
      }
    }
    built.seal()
    try log.sync()
    try write(.index, built.offsetEntries)
    try write(.timeindex, built.timeEntries)
    if !aborted.isEmpty { try write(.txnindex, aborted.flatMap(\.encoded)) }
    return ReplacementFiles(
      baseOffset: baseOffset,
      end: SegmentEnd(
        relativeOffset: UInt32(clamping: scanner.expectedOffset - baseOffset),
        position: UInt32(clamping: position)),
      nextOffset: scanner.expectedOffset, largest: built.cursor.largest,
      kinds: [.log, .index, .timeindex] + (aborted.isEmpty ? [] : [.txnindex]))
  }

  private func write(_ kind: SegmentName.Kind, _ bytes: [UInt8]) throws(DiskError) {
    let file = try disk.open(Self.path(kind, baseOffset, directory), .create)
    if !bytes.isEmpty { try file.write(bytes.span, at: 0) }
    try file.sync()
  }
}
