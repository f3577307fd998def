import DiskIO

/// What a survey found in one segment, judged by the recovery table.
struct SegmentOutcome: Sendable {
  /// Where and why the file is to be cut.
  struct Cut: Sendable, Equatable {
    var position: Int
    /// Offset that the first batch behind the cut was to have.
    var offset: Int64
    var reason: String
  }

  /// Where a new leader epoch starts in the segment.
  struct EpochStart: Sendable, Hashable {
    var epoch: Int32
    var offset: Int64
    var position: Int
  }

  /// An index file that is to be rebuilt, and why.
  struct WrongIndex: Sendable {
    var kind: SegmentName.Kind
    /// One sentence.
    var reason: String
    var isMissing = false
  }

  /// Most epoch starts that are kept: damage can make one of every batch.
  static let epochStartsMax = 1000
  /// Most gaps that are named; compaction makes one of nearly every record.
  static let gapsMax = 8

  let place: SegmentPlace
  /// Size of the `.log` when it was looked at.
  var size = 0
  /// Behind the last byte that belongs to the log, and the offset that follows.
  var position = 0
  var nextOffset: Int64
  var cut: Cut?
  var damage: [DamagedRange] = []
  /// Runs of offsets that valid batches hold; between two of them is damage. A batch that
  /// compaction removed is no end of a run.
  var runs: [Range<Int64>] = []
  /// Whether damaged bytes are at the end, so that nothing may be appended behind them.
  var endsDamaged = false
  var rows: [RecoveryRow] = []
  /// Runs of valid batches.
  var verified: [Range<Int>] = []
  var sawProducers = false
  /// The greatest producer id of those that a store gives out, -1 where none was walked over.
  var greatestProducerId: Int64 = -1
  var bytesScanned = 0
  /// Entries of the indexes behind the kept ones; nil where the indexes stay as they are.
  var index: IndexAccumulator?
  /// The same behind the entries that stay if the indexes are right.
  var rest: IndexAccumulator?
  /// Leading entries of the existing indexes that are kept.
  var kept = IndexProbe.Prefix.none
  /// Largest timestamp, and the batch that first had it.
  var largest: TimestampOffset
  /// What the files beside a broker's segment tell of records behind its end.
  var evidence: EndEvidence?
  var wrongIndexes: [WrongIndex] = []
  /// What opening or reading the index files met.
  var indexFaults: [DiskError] = []

  /// The `.log` could not be read.
  var refusal: DiskError?
  /// Other files that could not be read.
  var unreadable: [DiskError] = []
  /// Whether a running writer removed the segment before it could be looked at.
  var isGone = false

  var recordCount = 0
  var batchCount = 0
  var missingOffsetCount: Int64 = 0
  /// The first of them, as ranges.
  var gaps: [Range<Int64>] = []
  var epochStarts: [EpochStart] = []
  var sideFileDamage: [SideFileDamage] = []
  var notes: [VerificationNote] = []

  init(_ place: SegmentPlace) {
    self.place = place
    nextOffset = place.baseOffset
    largest = TimestampOffset(timestamp: -1, offset: place.baseOffset)
  }

  /// Position of the first byte that the log does not go on with.
  var end: Int { cut?.position ?? position }
}
