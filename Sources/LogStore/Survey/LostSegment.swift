internal import DiskIO

/// A segment whose `.log` is missing while its indexes exist.
///
/// Kafka renames the files of a segment that it removes, the `.log` first. So an index with entries
/// that has no `.log` under any name proves that the records were removed.
enum LostSegment {
  /// What is lost.
  ///
  /// - Parameters:
  ///   - previous: The segment before it.
  ///   - next: Base offset of the segment after it; if there is none, the indexes show which
  ///     offsets were assigned.
  /// - Returns: nil if the indexes hold no entry, contradict themselves or cannot be read, or if
  ///   the previous segment holds records after their number: then they do not belong to the log.
  static func range(
    _ baseOffset: Int64, in directory: LogDirectory, after previous: SegmentPlace?,
    before next: Int64?
  ) -> DamagedRange? {
    let start = EndEvidence.End(offset: baseOffset, position: 0)
    guard let told = evidence(baseOffset, start, directory),
      !isInside(previous, baseOffset, directory)
    else { return nil }
    return DamagedRange(
      file: directory.path(SegmentName(baseOffset, .log).fileName), bytes: 0..<0,
      offsets: baseOffset..<max(baseOffset, next ?? told.nextOffset),
      reason: "the file is missing, though its index is there; put it back from a copy")
  }

  private static func evidence(
    _ baseOffset: Int64, _ end: EndEvidence.End, _ directory: LogDirectory
  ) -> EndEvidence? {
    do throws(DiskError) {
      return try EndEvidence.inIndexes(of: baseOffset, behind: end, in: directory)
    } catch {
      return nil
    }
  }

  private static func isInside(
    _ previous: SegmentPlace?, _ baseOffset: Int64, _ directory: LogDirectory
  ) -> Bool {
    guard let previous else { return false }
    let segment = StraySegments.Candidate(
      baseOffset: previous.baseOffset, path: previous.logPath, hasOffsetIndex: true)
    do throws(DiskError) {
      let held = try StraySegments.extent(of: segment, directory.disk)
      return held.map { $0.upperBound > baseOffset } ?? false
    } catch {
      return false
    }
  }
}
