internal import RecordFormat
internal import CoreMetrics
internal import Logging
internal import DiskIO

/// Opening what a reader needs of a segment, and noting damage in it.
extension Log {
  /// The segment's open `.log`, through the store's cache.
  package func files(of segment: Segment) throws(LogError) -> SegmentFiles {
    do throws(DiskError) {
      let files = try context.fileCache.files(of: segment) { () throws(DiskError) in
        let file = try directory.disk.open(segment.path(.log), .read)
        return SegmentFiles(
          log: isReadOnly ? WitnessFile(file, segment.damage) : file, indexes: nil)
      }
      if !isDeleted && !isGivenUp { return files }
    } catch {
      try refuseIfGone()
      throw LogError(error)
    }
    // What was opened may be the file of a log that has the name now.
    context.fileCache.remove(segment)
    throw .closed(path: path)
  }

  /// The segment's end; looks at the file's size the first time.
  package func end(of segment: Segment) throws(LogError) -> SegmentEnd {
    if segment.isEndKnown { return segment.publishedEnd }
    let files = try files(of: segment)
    do throws(DiskError) {
      let end = SegmentEnd(
        relativeOffset: UInt32(clamping: nextBaseOffset(after: segment) - segment.baseOffset),
        position: UInt32(clamping: try files.log.size()))
      segment.publish(end)
      return end
    } catch {
      throw LogError(error)
    }
  }

  /// Where the offsets of a segment end at the latest.
  package func nextBaseOffset(after segment: Segment) -> Int64 {
    let segments = segments.snapshot
    guard let index = segments.index(of: segment.baseOffset),
      index + 1 < segments.segments.count
    else { return max(logEndOffset, segment.baseOffset) }
    return segments.segments[index + 1].baseOffset
  }

  /// Whether another segment follows.
  package func isFollowed(_ segment: Segment) -> Bool {
    segments.snapshot.segments.last !== segment
  }

  /// Fences the offsets between a segment's last batch and the next segment in a log that has no
  /// gaps by right: records that were synced are missing there.
  ///
  /// - Parameters:
  ///   - end: Where the segment's file ends; `reached` is the offset behind its last batch.
  package func fenceMissingEnd(of segment: Segment, at end: Int, reached: Int64) {
    guard isGapless else { return }
    let list = segments.snapshot
    guard let index = list.index(of: segment.baseOffset), index + 1 < list.segments.count else {
      return
    }
    let next = list.segments[index + 1].baseOffset
    // What was appended between the two looks is not missing.
    guard reached < next, Int(segment.publishedEnd.position) == end else { return }
    fence(segment, end..<end, reached..<next, Self.missingEnd)
  }

  /// Why offsets between two segments count as lost.
  package static let missingEnd =
    "the file ends before the next segment begins, and the log's writer leaves no gaps"

  /// Notes a damaged range once, in the segment, the metrics and the log.
  package func fence(
    _ segment: Segment, _ bytes: Range<Int>, _ offsets: Range<Int64>, _ why: String
  ) {
    // It may have been sound when it was checked, and have been read from the disk again since.
    segment.verified.remove(bytes)
    let range = DamagedRange(
      file: segment.path(.log), bytes: bytes, offsets: offsets, reason: why)
    guard segment.addDamage(range) else { return }
    context.metrics.damagedRanges.increment()
    context.logger.error(
      "damage found and fenced", metadata: ["log": "\(topicPartition)", "range": "\(range)"])
  }
}
