internal import DiskIO
internal import Logging

/// Replacing segments by a rewritten one: compaction, and accepted damage.
extension SegmentStore {
  /// Replaces `old` by a new segment, whose files are complete under their `.cleaned` names, or
  /// adds it between two segments.
  ///
  /// The steps are those of Kafka's cleaner, so that a crash at any moment leaves the old segments
  /// or the new one, for us and for a broker: `.cleaned` to `.swap`, durably; the state is
  /// published; old files are renamed to `.deleted`, durably; `.swap` to plain names. One new
  /// segment at a time: Kafka treats everything between the first and the last `.swap` file as
  /// replaced.
  ///
  /// - Parameters:
  ///   - old: Consecutive segments without the active one.
  ///   - new: Their replacement; its offsets are between the segments around them.
  /// - Returns: The new segment; nil if `old` is no part of the log any more, and the new files are
  ///   then removed.
  /// - Throws: Before the `.swap` names are durable nothing has changed. After that the new segment
  ///   is part of the log, and its next opening completes the replacement.
  @discardableResult
  func replaceRange(
    _ old: [Segment], with new: ReplacementFiles
  ) throws(DiskError) -> Segment? {
    var retired: RetiredSegments?
    let segment = try changeFiles { () throws(DiskError) -> Segment? in
      guard state.canReplace(old, with: new) else { return nil }
      return try replace(old, with: new, &retired)
    }
    if let retired { removeLater(retired) }
    if let segment, let segment { return segment }
    new.removeOrLog(log)
    return nil
  }

  private func replace(
    _ old: [Segment], with new: ReplacementFiles, _ retired: inout RetiredSegments?
  ) throws(DiskError) -> Segment {
    let segment = Segment(
      baseOffset: new.baseOffset, directory: log.directory, end: new.end, isSealed: true,
      largestTimestamp: new.largest)
    // Opened now, because their names are about to change.
    let opened = try new.open(segment, in: log.directory)
    try new.rename(from: .cleaned, to: .swap, in: log.directory)
    try log.disk.syncDirectory(log.path)
    // From here on the next opening completes the replacement.
    segment.keepOpen(opened)
    segment.setPinned(true)
    edit { $0.replace(old, with: segment, hasTransactionIndex: new.kinds.contains(.txnindex)) }
    let (files, isAside) = retire(old, snapshots: [])
    retired = files
    try log.disk.syncDirectory(log.path)
    // If an old file kept its name, both would be in the log. The new one keeps `.swap`, so that
    // the next opening removes the old one.
    guard isAside else { return segment }
    try new.rename(from: .swap, to: nil, in: log.directory)
    try log.disk.syncDirectory(log.path)
    segment.setPinned(false)
    segment.keepOpen(nil)
    return segment
  }
}

extension LogState {
  /// Whether `old` are consecutive segments of the log, without the active one, and the new one
  /// fits between their neighbours.
  fileprivate func canReplace(_ old: [Segment], with new: ReplacementFiles) -> Bool {
    let range: Range<Int>
    if let first = old.first {
      guard let start = segments.firstIndex(where: { $0 === first }),
        start + old.count < segments.count,
        zip(segments[start...], old).allSatisfy({ $0 === $1 })
      else { return false }
      range = start..<start + old.count
    } else {
      let index = segments.firstIndex { $0.baseOffset > new.baseOffset }
      guard let index else { return false }
      range = index..<index
    }
    let isBehind =
      range.lowerBound == 0 || segments[range.lowerBound - 1].baseOffset < new.baseOffset
    return isBehind && new.nextOffset <= segments[range.upperBound].baseOffset
  }

  fileprivate mutating func replace(
    _ old: [Segment], with new: Segment, hasTransactionIndex: Bool
  ) {
    let start =
      old.first.flatMap { first in segments.firstIndex { $0 === first } }
      ?? segments.firstIndex { $0.baseOffset > new.baseOffset } ?? segments.count
    precondition(
      old.allSatisfy(\.isSealed),
      "I3: a segment is written to that \(new.baseOffset) takes the place of")
    segments.replaceSubrange(start..<start + old.count, with: [new])
    let before = start > 0 ? segments[start - 1].baseOffset : -1
    let next = start + 1 < segments.count ? segments[start + 1].baseOffset : Int64.max
    precondition(
      before < new.baseOffset && new.baseOffset < next,
      "I2: segment \(new.baseOffset) between \(before) and \(next)")
    transactionIndexes.subtract(old.map(\.baseOffset))
    if hasTransactionIndex { transactionIndexes.insert(new.baseOffset) }
  }
}
