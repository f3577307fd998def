internal import DiskIO

/// A segment of a survey: its base offset, its place among the others, and the names that its files
/// have now.
package struct SegmentPlace: Sendable {
  package let directory: LogDirectory
  package let entry: SegmentLayout.Entry
  /// Base offset of the segment after it.
  package var nextBaseOffset: Int64?
  /// Whether the `.log` has a segment's name, which tells the base offset.
  package var isNamed = true
  /// Whether nothing is known but the file, so that nothing beside it is looked at.
  package var isLone = false

  package var baseOffset: Int64 { entry.baseOffset }
  /// Path of the `.log` as it is named now.
  package var logPath: String { directory.path(entry.logName) }

  /// Path of a file beside the `.log`, as it is named now.
  package func path(_ kind: SegmentName.Kind) -> String {
    if kind == .log { return logPath }
    let stage: SegmentName.Stage? = entry.isReplacement ? .swap : nil
    return directory.path(SegmentName(baseOffset, kind, stage: stage).fileName)
  }

  /// Path that a file of it has once the log is open for writing.
  package func plainPath(_ kind: SegmentName.Kind) -> String {
    directory.path(SegmentName(baseOffset, kind).fileName)
  }

  /// Path by which damage of the `.log` is told: the one that it has once the log is open for
  /// writing, so that the words stay the same.
  package var toldPath: String { isLone ? logPath : plainPath(.log) }

  /// What the segment's offsets stay below.
  package var offsetLimit: Int64 {
    SegmentScanner.offsetLimit(after: baseOffset, before: nextBaseOffset)
  }
}
