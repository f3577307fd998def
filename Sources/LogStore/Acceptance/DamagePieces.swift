internal import DiskIO
internal import RecordFormat

/// A segment split into runs of valid batches and the damage between them.
struct DamagePieces {
  /// One part of the segment, in the order of the bytes.
  enum Piece {
    case valid(Range<Int>)
    case damaged(Range<Int>, offsets: Range<Int64>, leaderEpoch: Int32, reason: String)
  }

  private(set) var pieces: [Piece] = []
  /// The offset after the last batch, or after damage at the end.
  private(set) var nextOffset: Int64
  /// Whether anything is damaged.
  var isDamaged: Bool {
    pieces.contains { if case .damaged = $0 { true } else { false } }
  }

  /// Walks over a whole segment that nothing is appended to.
  ///
  /// - Parameter epochs: Leader epochs of the log, for damage without a batch before it.
  init(of view: SegmentView, _ epochs: LeaderEpochCheckpoint) throws(LogError) {
    nextOffset = view.segment.baseOffset
    let end = Int(try view.end().position)
    do throws(DiskError) {
      try walk(view, end: end, epochs)
    } catch {
      throw LogError(error)
    }
  }

  private mutating func walk(
    _ view: SegmentView, end: Int, _ epochs: LeaderEpochCheckpoint
  ) throws(DiskError) {
    let bounds = view.bounds
    var scanner = try view.scanner(from: 0, end: end, bounds)
    var epoch = epochs.epochOfBatch(at: view.segment.baseOffset)
    var runStart = 0
    while true {
      switch try scanner.next() {
      case .batch(let header, _):
        if !header.isLegacy { epoch = header.leaderEpoch }
      case .invalid(let fault, let position):
        addRun(runStart..<position)
        let expected = scanner.expectedOffset
        let skipped = try scanner.resume().skipped
        let reached = max(expected, scanner.offsetBehindDamage ?? bounds.limit)
        pieces.append(
          .damaged(
            skipped, offsets: expected..<reached, leaderEpoch: epoch, reason: fault.description))
        runStart = skipped.upperBound
        nextOffset = reached
      case .end(let position):
        addRun(runStart..<max(runStart, position))
        nextOffset = max(nextOffset, scanner.expectedOffset)
        return
      }
    }
  }

  private mutating func addRun(_ bytes: Range<Int>) {
    if !bytes.isEmpty { pieces.append(.valid(bytes)) }
  }
}

extension LeaderEpochCheckpoint {
  /// The leader epoch of batches at an offset; 0 if unknown.
  func epochOfBatch(at offset: Int64) -> Int32 {
    epoch(at: offset) ?? entries.first?.epoch ?? 0
  }
}
