internal import DiskIO

/// The last segment of a log before the first append of a session: it has no descriptor and no
/// mapping, so that a thousand idle logs hold none.
package struct DormantSegment: Sendable {
  package let segment: Segment
  package var position: Int
  package var nextOffset: Int64
  package var cursor: IndexCursor
  /// Right entries at the start of the two index files.
  var offsetEntries: Int
  var timeEntries: Int
  /// When the segment was made, milliseconds since 1970 UTC.
  package var createdMs: Int64
  /// Why the indexes must be rebuilt from the log before the segment is appended to.
  var indexFault: DiskError?
}
