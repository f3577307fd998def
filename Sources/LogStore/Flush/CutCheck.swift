internal import DiskIO
internal import RecordFormat

/// Notices that another process cut the segment that is appended to.
enum CutCheck {
  /// What file systems allocate at once, as a rule.
  private static let blockBytes = 4096

  /// Throws where bytes of the active segment, written since the last flush or just before, are
  /// gone: what was appended after the cut follows a hole. Asks at each flush, so that it costs an
  /// append nothing; a cut within a file system's block leaves no hole and is seen by reads alone.
  ///
  /// - Parameter flushed: Position up to which the segment was flushed before.
  static func run(
    _ active: ActiveSegment, since flushed: Int, _ rules: OwnLogRules
  ) throws(DiskError) {
    // The block that was appended to is there: a hole ends before it at the latest.
    let start = max(0, min(flushed, active.position) / blockBytes * blockBytes - 1)
    guard active.position > 0, let hole = active.log.firstHole(from: start),
      hole < active.position
    else { return }
    // Some file systems show zeros that were written as a hole. The batches tell.
    var scanner = SegmentScanner(
      active.log, endPosition: active.position, expectedOffset: active.baseOffset,
      offsetLimit: active.nextOffset, options: SegmentScanner.Options(rules: rules))
    while true {
      switch try scanner.next() {
      case .batch: continue
      case .end(let position):
        if position < active.position { throw .cutUnderWriter(active.log.path) }
        return
      case .invalid(let fault, let position):
        guard fault.isUnreadable || active.segment.damage(at: position) != nil else {
          throw .cutUnderWriter(active.log.path)
        }
        _ = try scanner.resume()
      }
    }
  }
}
