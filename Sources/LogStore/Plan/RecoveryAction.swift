internal import DiskIO

/// One change of a log's directory that a plan asks for.
enum RecoveryAction: Sendable {
  /// Records losses and damaged bytes, so that they are reported the same from now on.
  case noteLosses(KnownLosses.Content)
  /// After our own session was killed a broker stopped cleanly. The mark records that durably
  /// before the marker of that stop is removed; otherwise everything after the point would count as
  /// unfinished again.
  case writeMark(MarkRecord)
  /// Moves a whole `.log` to `.bad/` and removes its indexes.
  case setAside(SegmentName, byteCount: Int, reason: String)
  /// Removes a file that the log does not need.
  case remove(String, reason: String)
  /// Gives a finished replacement its plain name.
  case rename(from: String, to: String)
  /// Keeps the end of a segment's `.log` in `.bad/` and cuts it off.
  case cut(Int64, position: Int, byteCount: Int, reason: String)
  /// Makes a segment's indexes match its batches.
  case writeIndexes(IndexWork)
  /// Writes the log start offset to the log's own file.
  case writeStart(Int64)
  /// Writes the leader epochs.
  case writeEpochs(LeaderEpochCheckpoint)
  /// Writes the history with a right CRC, including what was done.
  case writeHistory

  /// Whether it only records what the store's clean stop proves, and leaves the log unchanged.
  var isNote: Bool {
    switch self {
    case .noteLosses, .writeMark: true
    case .setAside, .remove, .rename, .cut, .writeIndexes, .writeStart, .writeEpochs,
      .writeHistory:
      false
    }
  }

  /// The entries that a segment's indexes end with.
  struct IndexWork: Sendable {
    /// For one file: leading entries that stay, and the source of the entries after them.
    struct Part: Sendable {
      var kept: Int
      var source: IndexAccumulator
    }

    var baseOffset: Int64
    var offsets: Part
    var times: Part
    /// Files that could not be read, and why.
    var faults: [(SegmentName.Kind, DiskError)] = []
    /// Whether the log continues in the segment, so that its indexes are not final.
    var goesOn: Bool
    /// The files that are missing or wrong.
    var isTold: Set<SegmentName.Kind>
  }
}
