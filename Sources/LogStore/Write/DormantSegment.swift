package import DiskIO

/// The last segment of a log that nobody has appended to in this session: no descriptor, no
/// mapping, so that a thousand idle logs cost none.
package struct DormantSegment: Sendable {
  package let segment: Segment
  package var position: Int
  package var nextOffset: Int64
  package var cursor: IndexCursor
  /// Entries of the two indexes that stand in their files and are right.
  package var offsetEntries: Int
  package var timeEntries: Int
  /// When the segment was made, milliseconds since 1970 UTC.
  package var createdMs: Int64
  /// Why the indexes must be made from the log before the segment is gone on with.
  package var indexFault: DiskError?
}
