internal import CoreMetrics
internal import DiskIO
internal import Logging
package import RecordFormat

/// One segment of a log with its open files; all code that reads in a segment uses it.
///
/// A value; keeps the files open as long as it lives. Any thread.
package struct SegmentView: Sendable {
  let access: SegmentAccess
  package let segment: Segment
  let files: SegmentFiles

  init(_ access: SegmentAccess, _ segment: Segment, _ files: SegmentFiles) {
    self.access = access
    self.segment = segment
    self.files = files
  }

  var log: LogEnvironment { access.log }

  // MARK: Ends

  /// The segment's end; reads the file's size the first time.
  func end() throws(LogError) -> SegmentEnd {
    if segment.isEndKnown { return segment.publishedEnd }
    do throws(DiskError) {
      let end = SegmentEnd(
        relativeOffset: UInt32(clamping: nextBaseOffset - segment.baseOffset),
        position: UInt32(clamping: try files.log.size()))
      segment.publish(end)
      return end
    } catch {
      throw LogError(error)
    }
  }

  /// Upper bound of the segment's offsets.
  var nextBaseOffset: Int64 { bounds.limit }

  /// Bounds from the segment's neighbours, all of one moment.
  struct Bounds {
    /// Upper bound of its offsets.
    var limit: Int64
    /// Whether another segment follows, so that nothing more is written to it.
    var isFollowed: Bool
    var rules: OwnLogRules
  }

  var bounds: Bounds {
    let state = access.store.state
    let next = state.segment(after: segment)?.baseOffset
    return Bounds(
      limit: next ?? max(access.offsets.end.value, segment.baseOffset),
      isFollowed: state.segments.last !== segment, rules: state.rules)
  }

  // MARK: Walking

  /// A scanner of the segment's batches from a batch's start on.
  ///
  /// - Parameters:
  ///   - expected: The lowest offset that may be there; nil: determined here.
  ///   - end: Where the bytes end.
  ///   - chunkBytes: How much is read at a time; nil: the scanner's default.
  func scanner(
    from position: Int, expected: Int64? = nil, end: Int, _ bounds: Bounds,
    chunkBytes: Int? = nil
  ) throws(DiskError) -> SegmentScanner {
    var options = SegmentScanner.Options(rules: bounds.rules, isFollowed: bounds.isFollowed)
    if let chunkBytes { options.chunkBytes = chunkBytes }
    let lowest = if let expected { expected } else { try lowestOffset(at: position) }
    return SegmentScanner(
      files.log, from: position, endPosition: end,
      expectedOffset: lowest,
      offsetLimit: SegmentScanner.offsetLimit(after: segment.baseOffset, before: bounds.limit),
      options: options)
  }

  /// The lowest offset that may be at `position`: the segment's base at its start, the end of
  /// damage right before it. Elsewhere, with the batches before unread, the offset in the header
  /// there, if it is sound.
  private func lowestOffset(at position: Int) throws(DiskError) -> Int64 {
    if position == 0 { return segment.baseOffset }
    let before = segment.damagedRanges.first { $0.bytes.upperBound == position }
    if let reached = before?.offsets?.upperBound { return reached }
    var probe = HeaderWindow()
    let header = try probe.header(files.log, at: position, end: Int.max)
    guard let header else { return segment.baseOffset }
    return max(segment.baseOffset, header.baseOffset)
  }

  /// Walks over the segment's valid batches from a batch's start until `body` returns false; damage
  /// is noted and skipped.
  package func walk(
    from position: Int, _ body: (BatchHeader, Int, Span<UInt8>) throws(LogError) -> Bool
  ) throws(LogError) {
    let end = Int(try end().position)
    let bounds = bounds
    var failure: LogError?
    var goesOn = true
    do throws(DiskError) {
      var scanner = try scanner(
        from: position, end: end, bounds, chunkBytes: BatchFinder.checkBytesMin)
      while goesOn {
        let at = scanner.position
        let event = try scanner.next { (header, bytes) throws(BatchError) in
          do throws(LogError) {
            goesOn = try body(header, at, bytes)
          } catch {
            failure = error
          }
        }
        if failure != nil { break }
        switch event {
        case .batch: continue
        case .end: return
        case .invalid(let fault, _): _ = try fence(fault, &scanner, limit: bounds.limit)
        }
      }
    } catch {
      throw LogError(error)
    }
    if let failure { throw failure }
  }

  // MARK: Damage

  /// Notes what a scanner has just found invalid as damage, and moves it to the next valid batch.
  ///
  /// - Returns: The bytes that were skipped.
  func fence(
    _ fault: BatchFault, _ scanner: inout SegmentScanner, limit: Int64
  ) throws(DiskError) -> Range<Int> {
    let expected = scanner.expectedOffset
    let skipped = try scanner.resume().skipped
    let end = scanner.offsetBehindDamage ?? limit
    fence(skipped, expected..<max(expected, end), fault.description)
    return skipped
  }

  /// Records a damaged range once, in the segment, the metrics and the log.
  func fence(_ bytes: Range<Int>, _ offsets: Range<Int64>, _ why: String) {
    // It may have been valid when it was checked, and have been read from the disk again since.
    segment.verified.remove(bytes)
    let range = DamagedRange(
      file: segment.path(.log), bytes: bytes, offsets: offsets, reason: why)
    guard segment.addDamage(range) else { return }
    log.context.metrics.damagedRanges.increment()
    log.context.logger.error(
      "damaged range not served", metadata: ["log": "\(log.topicPartition)", "range": "\(range)"])
    log.context.damage.note(log.topicPartition)
  }

  /// Notes the offsets between the segment's last batch and the next segment as damage, in a log
  /// where any gap is damage: records that were synced are missing there.
  ///
  /// - Parameters:
  ///   - end: Where the segment's file ends.
  ///   - reached: The offset after its last batch.
  func fenceMissingEnd(at end: Int, reached: Int64) {
    let state = access.store.state
    guard state.rules.isGapless, let next = state.segment(after: segment)?.baseOffset else {
      return
    }
    // Records appended between the two checks are not missing.
    guard reached < next, Int(segment.publishedEnd.position) == end else { return }
    fence(end..<end, reached..<next, Self.missingEnd)
  }

  /// Why offsets between two segments count as lost.
  static let missingEnd =
    "the file ends before the next segment begins, and the log's writer leaves no gaps"
}
