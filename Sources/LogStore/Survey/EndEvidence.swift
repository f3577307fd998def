internal import DiskIO

/// Evidence, beside a broker's segment, that records after its end are lost.
///
/// A broker adds a batch to the indexes once it is written, and names a snapshot of its producers
/// by an offset that the log has reached. So if these are after the end, records are lost: at least
/// up to there, since later ones left no trace. It is evidence of loss only, never of content (I9).
/// In a log of ours the mark is better evidence: after a power cut index pages may refer to batches
/// that were never acknowledged.
struct EndEvidence: Sendable, Hashable {
  /// Lower bound of the offset that the log had reached.
  var nextOffset: Int64
  /// Name of the file with the evidence.
  var fileName: String

  /// The one that reaches further.
  static func further(_ one: Self?, _ other: Self?) -> Self? {
    guard let one, let other else { return one ?? other }
    return other.nextOffset > one.nextOffset ? other : one
  }

  /// Where a segment's valid batches end.
  struct End: Sendable {
    /// Offset of the record that would be next.
    var offset: Int64
    /// Position after the last valid batch.
    var position: Int
    /// Largest timestamp of the batches; nil if there is none.
    var largestTimestamp: Int64?
    /// Size of the `.log` when it was surveyed, nil if it is missing. If it has grown since, a
    /// writer is at work and the indexes refer to existing records.
    var size: Int?
  }

  /// The evidence in a segment's indexes.
  ///
  /// - Returns: nil if they refer to nothing after the end, contradict themselves or the segment,
  ///   or cannot be read. One flipped bit is no evidence.
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

  /// The evidence in the newest snapshot of a log's producers; nil if it is at or before `offset`
  /// or cannot be read.
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
      // An index that cannot be read is no evidence; it is rebuilt from its log (I9).
      if case .disk(let error) = error, error.isOutOfDescriptors { throw error }
      return nil
    }
  }

  /// The loss that it shows.
  ///
  /// - Parameter next: Base offset of the next segment: nothing up to there can be read, although
  ///   the evidence may not reach so far.
  func loss(
    in file: String, at position: Int, from offset: Int64, before next: Int64?
  ) -> DamagedRange {
    let reached = "\(fileName) lists records up to offset \(nextOffset - 1)"
    return DamagedRange(
      file: file, bytes: position..<position, offsets: offset..<(next ?? nextOffset),
      reason: next == nil
        ? "the log ends here, but \(reached); whether more followed is not known"
        : "the segment ends here, but \(reached); the next segment begins after the gap")
  }

  /// The last offset of an offset index that agrees with the segment's end: entries ascend, and
  /// those before the end are of existing batches, and of no others.
  private static func last(_ entries: [OffsetIndexEntry], behind end: End) -> Int64? {
    let isRising = zip(entries, entries.dropFirst()).allSatisfy {
      $0.offset < $1.offset && $0.position < $1.position
    }
    let agrees = entries.allSatisfy { ($0.offset < end.offset) == ($0.position < end.position) }
    return isRising && agrees ? entries.last?.offset : nil
  }

  /// The last offset of a time index whose entries ascend, and that is later than all existing
  /// records: otherwise it would never have been added for a later record.
  private static func last(_ entries: [TimeIndexEntry], behind end: End) -> Int64? {
    let isRising = zip(entries, entries.dropFirst()).allSatisfy {
      $0.timestamp < $1.timestamp && $0.offset <= $1.offset
    }
    guard isRising, let last = entries.last, last.timestamp > end.largestTimestamp ?? Int64.min
    else { return nil }
    return last.offset
  }
}
