internal import DiskIO

/// A segment of a survey: its base offset, its place among the others, and the current names of its
/// files.
package struct SegmentPlace: Sendable {
  package let directory: LogDirectory
  package let entry: SegmentLayout.Entry
  /// Base offset of the segment after it.
  var nextBaseOffset: Int64?
  /// Whether the `.log` has a segment's name, which gives the base offset.
  package var isNamed = true
  /// Whether only the file is known, so that nothing beside it is examined.
  var isLone = false

  package var baseOffset: Int64 { entry.baseOffset }
  /// Current path of the `.log`.
  var logPath: String { directory.path(entry.logName) }

  /// Current path of a file beside the `.log`.
  package func path(_ kind: SegmentName.Kind) -> String {
    if kind == .log { return logPath }
    let stage: SegmentName.Stage? = entry.isReplacement ? .swap : nil
    return directory.path(SegmentName(baseOffset, kind, stage: stage).fileName)
  }

  /// Path that a file of it has once the log is open for writing.
  func plainPath(_ kind: SegmentName.Kind) -> String {
    directory.path(SegmentName(baseOffset, kind).fileName)
  }

  /// Path in reports about damage of the `.log`: the one that it has once the log is open for
  /// writing, so that the words stay the same.
  var toldPath: String { isLone ? logPath : plainPath(.log) }

  /// Exclusive upper bound of the segment's offsets.
  package var offsetLimit: Int64 {
    SegmentScanner.offsetLimit(after: baseOffset, before: nextBaseOffset)
  }
}
