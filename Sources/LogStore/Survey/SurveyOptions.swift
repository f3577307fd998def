/// How far a survey of a log looks, and how.
package struct SurveyOptions: Sendable {
  /// What is looked at.
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

  /// What is looked at.
  package var depth = Depth.ends
  /// Index entries are at least so many bytes of the log apart.
  package var indexIntervalBytes = LogConfig().indexIntervalBytes
  /// Bytes of one read of a segment.
  package var chunkBytes = 1 << 20
  /// Segments looked at at the same time, where all of them are.
  package var threadCount = 1
  /// Whether the plan will be carried out, so that the end must be known to its index entries.
  package var isForWriting = false
  /// Whether somebody else may be writing to the log meanwhile.
  package var isLive = false

  /// The defaults: the ends alone.
  package init(depth: Depth = .ends) { self.depth = depth }
}
