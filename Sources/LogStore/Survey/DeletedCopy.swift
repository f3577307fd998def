internal import DiskIO

/// A `.deleted` file, which is to be removed, as the only copy of records.
///
/// Kafka gives a segment such a name before it removes it. An opening removes the file, unless it
/// holds offsets at or above the log's start that no segment's range covers.
enum DeletedCopy {
  /// The offsets that only this file holds; nil if it may be removed. A file that cannot be read is
  /// kept.
  static func offsets(
    _ name: SegmentName, _ layout: SegmentLayout, _ directory: LogDirectory, _ start: Int64
  ) -> Range<Int64>? {
    guard name.stage == .deleted, name.kind == .log else { return nil }
    do throws(DiskError) {
      guard let held = try extent(name.fileName, name.baseOffset, directory) else { return nil }
      var next = max(held.lowerBound, start, layout.entries.first?.baseOffset ?? start)
      for (index, entry) in layout.entries.enumerated() where entry.baseOffset <= next {
        let end =
          index + 1 < layout.entries.count
          ? layout.entries[index + 1].baseOffset
          : try extent(entry.logName, entry.baseOffset, directory)?.upperBound ?? 0
        next = max(next, end)
      }
      return next < held.upperBound ? next..<held.upperBound : nil
    } catch {
      return error.isNotFound ? nil : name.baseOffset..<name.baseOffset + 1
    }
  }

  private static func extent(
    _ file: String, _ baseOffset: Int64, _ directory: LogDirectory
  ) throws(DiskError) -> Range<Int64>? {
    try StraySegments.extent(
      of: .init(baseOffset: baseOffset, path: directory.path(file), hasOffsetIndex: true),
      directory.disk)
  }
}
