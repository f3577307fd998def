import DiskIO

/// What was found in one segment.
struct SegmentFindings: Sendable {
  /// Where a new leader epoch starts in the segment.
  struct EpochStart: Sendable, Hashable {
    var epoch: Int32
    var offset: Int64
    var position: Int
  }

  /// Most epoch starts that are kept: damage can make one of every batch.
  static let epochStartsMax = 1000
  /// Most gaps that are named; compaction makes one of nearly every record.
  static let gapsMax = 8

  var recordCount = 0
  var batchCount = 0
  var byteCount = 0
  /// Offset after the last valid batch; the base offset where there is none.
  var nextOffset: Int64 = 0
  var missingOffsetCount: Int64 = 0
  /// The first of them, as ranges.
  var gaps: [Range<Int64>] = []
  var damage: [DamagedRange] = []
  var tornTail: TornTail?
  /// What the indexes of a broker's segment tell of records behind its end.
  var evidence: EndEvidence?
  var sideFileDamage: [SideFileDamage] = []
  var unreadable: [DiskError] = []
  /// A running writer removed the segment before it could be looked at.
  var isGone = false
  var notes: [VerificationNote] = []
  var epochStarts: [EpochStart] = []
}
