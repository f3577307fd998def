internal import DiskIO

/// A segment whose `.log` is gone while its index is still there.
///
/// Kafka gives a segment that it removes another name, the `.log` first; so an index with entries
/// that has no `.log` under any name says that somebody took the records away.
package enum LostSegment {
  /// What is lost.
  ///
  /// - Parameter next: Base offset of the segment after it; where there is none, the index tells
  ///   which offsets were given out.
  /// - Returns: Nil where the index holds no entry, or cannot be read.
  package static func range(
    _ baseOffset: Int64, in directory: LogDirectory, before next: Int64?
  ) -> DamagedRange? {
    let path = directory.path(SegmentName(baseOffset, .index).fileName)
    do throws(CheckpointError) {
      guard let bytes = try SmallFile.read(directory.disk, path, limit: Int(Int32.max)),
        let last = IndexContent<OffsetIndexEntry>(bytes.span, baseOffset: baseOffset).entries.last
      else { return nil }
      let given = last.offset == Int64.max ? last.offset : last.offset + 1
      return DamagedRange(
        file: directory.path(SegmentName(baseOffset, .log).fileName), bytes: 0..<0,
        offsets: baseOffset..<max(baseOffset, next ?? given),
        reason: "the file is missing, though its index is there; put it back from a copy")
    } catch {
      return nil
    }
  }
}
