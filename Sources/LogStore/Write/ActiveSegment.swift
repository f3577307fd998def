internal import DiskIO
internal import RecordFormat

/// The one segment of a log that grows, with the state that only its writer needs.
package struct ActiveSegment {
  package let segment: Segment
  let log: any DiskFile
  /// Replaced if an index fails; readers may still use the previous one.
  var offsetIndex: OffsetIndex
  var timeIndex: TimeIndex
  /// Position after the last whole batch.
  package var position: Int
  /// Offset of the next record.
  package var nextOffset: Int64
  /// Decides which batches get index entries.
  var cursor: IndexCursor
  /// When the segment was made, milliseconds since 1970 UTC, for `segmentMs`.
  package var createdMs: Int64
  /// The part of `segment.jitter.ms` by which the segment is rolled earlier, as a fraction of 2^32.
  var jitterShare = UInt32.random(in: 0...UInt32.max)
  /// Whether a failed write may have left bytes after `position`.
  var hasStrayTail = false
  /// Whether one did: such bytes may come back after a power cut, in the place of later batches.
  var hadStrayTail = false
  /// Whether the segment's files existed when this session began.
  var isResumed = false
  /// Why the indexes lack entries and must be rebuilt from the log.
  var indexFault: DiskError?

  package var baseOffset: Int64 { segment.baseOffset }

  /// Why the segment must be rolled before a batch is appended to it; nil if it need not be.
  ///
  /// Mutating, as `reserveEntries` is, only so that it runs in place: the segment is part of an
  /// optional, and would be copied, with a reference count for each of its parts.
  @inline(__always)
  mutating func rollReason(
    appending byteCount: Int, lastOffset: Int64, config: LogConfig, nowMs: Int64
  ) -> RollReason? {
    if position > config.segmentBytes - byteCount, position > 0 { return .size }
    if position > 0, nowMs - createdMs > Self.ageMax(config, jitterShare) { return .age }
    if offsetIndex.isFull || timeIndex.isFull { return .indexFull }
    if lastOffset - baseOffset > Int64(Int32.max) { return .offsetRange }
    return nil
  }

  /// After which time the segment is rolled, milliseconds.
  @inline(__always)
  private static func ageMax(_ config: LogConfig, _ jitterShare: UInt32) -> Int64 {
    let jitter = min(config.segmentJitterMs, config.segmentMs)
    if jitter == 0 { return config.segmentMs }
    let part = jitter.magnitude.multipliedFullWidth(by: UInt64(jitterShare) << 32).high
    return config.segmentMs - Int64(part)
  }

  /// Allocates the blocks of the entries that a batch at `position` may need.
  @inline(__always)
  mutating func reserveEntries(intervalBytes: Int) throws(DiskError) {
    guard cursor.isEntryDue(at: position, intervalBytes: intervalBytes) else { return }
    try offsetIndex.file.reserve()
    try timeIndex.file.reserve()
  }

  /// Records an appended batch, also in the indexes. Call `reserveEntries` before.
  ///
  /// Even if an index fails, the batch is part of the segment; `indexFault` then has the error.
  @inline(__always)
  mutating func noteAppended(_ header: BatchHeader, intervalBytes: Int) {
    let start = position
    position += header.byteCount
    nextOffset = header.nextOffset
    guard cursor.note(header, at: start, intervalBytes: intervalBytes) else { return }
    do throws(DiskError) {
      try offsetIndex.append(offset: header.lastOffset, position: start)
      try timeIndex.appendIfLarger(cursor.largest)
    } catch {
      indexFault = error
    }
  }

  /// The end that readers may see.
  package var end: SegmentEnd {
    SegmentEnd(
      relativeOffset: UInt32(clamping: nextOffset - baseOffset), position: UInt32(position))
  }
}

/// Why a segment is rolled.
enum RollReason: String, Sendable {
  case size, age, indexFull, offsetRange
  /// Records before the log's end are to be changed.
  case asked
}

extension ActiveSegment {
  /// Adds the entry that seals the time index; room was reserved for it.
  mutating func noteFinalTime() {
    do throws(DiskError) {
      try timeIndex.appendIfLarger(cursor.largest)
    } catch {
      indexFault = error
    }
  }

  /// Writes a batch at the end and publishes it to readers: bytes, then index entries, then the
  /// segment's end (release).
  mutating func append(
    _ batch: Span<UInt8>, _ header: BatchHeader, indexIntervalBytes: Int
  ) throws(DiskError) {
    let start = position
    checkAppend(of: header, batch.count)
    // Bytes of a failed write may be anything, even look like the next batch.
    try removeStrayTail()
    do throws(DiskError) {
      try log.write(batch, at: start)
    } catch {
      hasStrayTail = true
      throw error
    }
    if InvariantChecks.areOn { checkWritten(header, at: start) }
    noteAppended(header, intervalBytes: indexIntervalBytes)
    segment.verified.appended(start..<position)
    segment.publish(end)
  }

  /// Preconditions of a batch, before a byte of it is written.
  @inline(__always)
  private func checkAppend(of header: BatchHeader, _ byteCount: Int) {
    let published = segment.publishedEnd
    precondition(!segment.isSealed, "I3: an append to the sealed segment \(baseOffset)")
    precondition(
      position == Int(published.position),
      "I4: an append at \(position) to a segment that ends at \(published.position)")
    precondition(
      byteCount == header.byteCount,
      "I5: a batch of \(header.byteCount) bytes in \(byteCount)")
    precondition(
      header.baseOffset >= nextOffset && header.lastOffset >= header.baseOffset,
      "I2: offsets \(header.baseOffset)...\(header.lastOffset) after \(nextOffset)")
  }

  /// Truncates what a failed write may have left after the last whole batch.
  mutating func removeStrayTail() throws(DiskError) {
    guard hasStrayTail else { return }
    let published = segment.publishedEnd.position
    precondition(
      position >= Int(published),
      "I4: segment \(baseOffset), which ends at \(published), is cut at \(position)")
    try log.truncate(to: position)
    hasStrayTail = false
    hadStrayTail = true
  }
}
