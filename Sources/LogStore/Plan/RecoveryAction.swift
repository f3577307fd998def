package import DiskIO

/// One change of a log's directory that a plan asks for.
package enum RecoveryAction: Sendable {
  /// Notes losses and damaged bytes, so that they are told the same from now on.
  case noteLosses(KnownLosses.Content)
  /// A broker stopped in order after our own session was killed: the mark says so, durably, before
  /// the marker of that stop is forgotten and all beyond the point counts as unfinished again.
  case writeMark(MarkRecord)
  /// A whole `.log` goes to `.bad/`; its indexes are removed.
  case setAside(SegmentName, byteCount: Int, reason: String)
  /// A file that the log does not need is removed.
  case remove(String, reason: String)
  /// A finished replacement gets its plain name.
  case rename(from: String, to: String)
  /// The end of a segment's `.log` is kept in `.bad/` and cut off.
  case cut(Int64, position: Int, byteCount: Int, reason: String)
  /// A segment's indexes are brought in line with its batches.
  case writeIndexes(IndexWork)
  /// The log start offset is written to the log's own file.
  case writeStart(Int64)
  /// The leader epochs are written.
  case writeEpochs(LeaderEpochCheckpoint)
  /// The history is written with a right CRC, together with what was done.
  case writeHistory

  /// Whether it writes down what the store's clean stop tells, and leaves the log as it is.
  var isNote: Bool {
    switch self {
    case .noteLosses, .writeMark: true
    case .setAside, .remove, .rename, .cut, .writeIndexes, .writeStart, .writeEpochs,
      .writeHistory:
      false
    }
  }

  /// The entries that a segment's indexes end with.
  package struct IndexWork: Sendable {
    /// Of one file: leading entries that stay, and where those behind them come from.
    package struct Part: Sendable {
      package var kept: Int
      package var source: IndexAccumulator
    }

    package var baseOffset: Int64
    package var offsets: Part
    package var times: Part
    /// Files that could not be read, and why.
    package var faults: [(SegmentName.Kind, DiskError)] = []
    /// Whether the log goes on in the segment, so that its indexes are not final.
    package var goesOn: Bool
    /// The files that are missing or wrong.
    package var isTold: Set<SegmentName.Kind>
  }
}
