/// How thoroughly a log is surveyed, and how.
package struct SurveyOptions: Sendable {
  /// What is read.
  package enum Depth: Sendable, CaseIterable, Comparable {
    /// What opening needs: the unsynced end.
    case ends
    /// Every batch: header, offsets, CRC.
    case quick
    /// Also the files beside the segments, against the log.
    case standard
    /// Also every record, decompressed and decoded.
    case deep
  }

  /// What is read.
  package var depth = Depth.ends
  /// Index entries are at least this many bytes of the log apart.
  package var indexIntervalBytes = LogConfig().indexIntervalBytes
  /// Bytes of one read of a segment.
  package var chunkBytes = 1 << 20
  /// Segments surveyed at the same time, if all of them are.
  package var threadCount = 1
  /// Whether the plan will be executed, so that the end must be known including its index entries.
  var isForWriting = false
  /// Whether another process may be writing to the log meanwhile.
  var isLive = false

  /// The defaults: the ends alone.
  package init(depth: Depth = .ends) { self.depth = depth }
}
