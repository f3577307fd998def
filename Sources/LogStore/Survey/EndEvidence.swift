internal import DiskIO

/// What stands beside a broker's segment and tells that more stood behind its end.
///
/// A broker enters a batch in the indexes once it is written, and names a snapshot of its producers
/// by an offset that the log has reached. So where these lie behind the end, records are lost: at
/// least up to there, for nothing tells of what came after them. It is evidence of loss only, never
/// of what is there (I9). In a log of ours the mark knows better: after a power cut index pages may
/// stand for batches that were promised to nobody.
package struct EndEvidence: Sendable, Hashable {
  /// Offset that the log has reached at least.
  package var nextOffset: Int64
  /// Name of the file that tells it.
  package var fileName: String

  /// The further one of two.
  static func further(_ one: Self?, _ other: Self?) -> Self? {
    guard let one, let other else { return one ?? other }
    return other.nextOffset > one.nextOffset ? other : one
  }

  /// Where a segment's valid batches end.
  package struct End: Sendable {
    /// Offset of the record that would be next.
    package var offset: Int64
    /// Behind the last valid batch.
    package var position: Int
    /// Largest timestamp of the batches; nil where there is none.
    package var largestTimestamp: Int64?
    /// Size of the `.log` when it was looked at, nil where it is gone; where it has grown since, a
    /// writer is at work and the indexes tell of what is there.
    package var size: Int?
  }

  /// What a segment's indexes tell.
  ///
  /// - Returns: nil where they tell of nothing behind the end, contradict themselves or the
  ///   segment, or do not read. One turned bit tells of nothing.
  static func inIndexes(
    of baseOffset: Int64, behind end: End, in directory: LogDirectory
  ) throws(DiskError) -> EndEvidence? {
    func told<Entry: IndexFileEntry>(
      _ kind: SegmentName.Kind, _ last: ([Entry]) -> Int64?
    ) throws(DiskError) -> EndEvidence? {
      let name = SegmentName(baseOffset, kind).fileName
      guard let bytes = try content(name, directory),
        let offset = last(IndexContent<Entry>(bytes.span, baseOffset: baseOffset).entries),
        offset >= end.offset, offset < Int64.max
      else { return nil }
      return EndEvidence(nextOffset: offset + 1, fileName: name)
    }
    let found = further(
      try told(.index) { (entries: [OffsetIndexEntry]) in Self.last(entries, behind: end) },
      try told(.timeindex) { (entries: [TimeIndexEntry]) in Self.last(entries, behind: end) })
    guard let found else { return nil }
    let path = directory.path(SegmentName(baseOffset, .log).fileName)
    return try directory.disk.status(path)?.size == end.size ? found : nil
  }

  /// What the newest snapshot of a log's producers tells; nil where it lies at or before `offset`
  /// or does not read.
  static func inSnapshots(
    _ offsets: [Int64], behind offset: Int64, in directory: LogDirectory
  ) throws(DiskError) -> EndEvidence? {
    for snapshot in offsets.sorted(by: >) where snapshot > offset {
      let name = SegmentName(snapshot, .snapshot).fileName
      do throws(CheckpointError) {
        guard try ProducerSnapshot.read(directory.disk, directory.path(name)) != nil else {
          continue
        }
        return EndEvidence(nextOffset: snapshot, fileName: name)
      } catch {
        if case .disk(let error) = error, error.isOutOfDescriptors { throw error }
      }
    }
    return nil
  }

  private static func content(
    _ name: String, _ directory: LogDirectory
  ) throws(DiskError) -> [UInt8]? {
    do throws(CheckpointError) {
      let limit = SegmentIndexVerifier.indexBytesMax
      return try SmallFile.read(directory.disk, directory.path(name), limit: limit)
    } catch {
      // An index that cannot be read tells nothing; it is made from its log (I9).
      if case .disk(let error) = error, error.isOutOfDescriptors { throw error }
      return nil
    }
  }

  /// The loss that it tells of.
  ///
  /// - Parameter next: Base offset of the next segment: up to there nothing can be read, though the
  ///   evidence may not reach so far.
  package func loss(
    in file: String, at position: Int, from offset: Int64, before next: Int64?
  ) -> DamagedRange {
    let reached = "\(fileName) tells of records up to offset \(nextOffset - 1)"
    return DamagedRange(
      file: file, bytes: position..<position, offsets: offset..<(next ?? nextOffset),
      reason: next == nil
        ? "the log ends here, but \(reached); whether more followed is not known"
        : "the segment ends here, but \(reached); the next segment begins behind the hole")
  }

  /// The last offset of an offset index that agrees with the segment's end: entries rise, and
  /// those of batches that are there, and of no others, stand before it.
  private static func last(_ entries: [OffsetIndexEntry], behind end: End) -> Int64? {
    let isRising = zip(entries, entries.dropFirst()).allSatisfy {
      $0.offset < $1.offset && $0.position < $1.position
    }
    let agrees = entries.allSatisfy { ($0.offset < end.offset) == ($0.position < end.position) }
    return isRising && agrees ? entries.last?.offset : nil
  }

  /// The last offset of a time index whose entries rise, and that is later than all there is: an
  /// entry that is not would never have been made for a record behind it.
  private static func last(_ entries: [TimeIndexEntry], behind end: End) -> Int64? {
    let isRising = zip(entries, entries.dropFirst()).allSatisfy {
      $0.timestamp < $1.timestamp && $0.offset <= $1.offset
    }
    guard isRising, let last = entries.last, last.timestamp > end.largestTimestamp ?? Int64.min
    else { return nil }
    return last.offset
  }
}
