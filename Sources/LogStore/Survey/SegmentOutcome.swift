import DiskIO

/// What a survey found in one segment, judged by the recovery table.
struct SegmentOutcome: Sendable {
  /// Where and why the file must be cut.
  struct Cut: Sendable, Equatable {
    var position: Int
    /// Expected offset of the first batch after the cut.
    var offset: Int64
    var reason: String
  }

  /// Where a new leader epoch starts in the segment.
  struct EpochStart: Sendable, Hashable {
    var epoch: Int32
    var offset: Int64
    var position: Int
  }

  /// An index file that must be rebuilt, and why.
  struct WrongIndex: Sendable {
    var kind: SegmentName.Kind
    /// One sentence.
    var reason: String
    var isMissing = false
  }

  /// Most epoch starts that are kept: damage can produce one for every batch.
  static let epochStartsMax = 1000
  /// Most gaps that are listed; compaction makes one for nearly every record.
  static let gapsMax = 8

  let place: SegmentPlace
  /// Size of the `.log` when it was surveyed.
  var size = 0
  /// Position after the last byte that belongs to the log, and the next offset.
  var position = 0
  var nextOffset: Int64
  var cut: Cut?
  var damage: [DamagedRange] = []
  /// Runs of offsets that valid batches hold; damage separates them. A batch that compaction
  /// removed does not end a run.
  var runs: [Range<Int64>] = []
  /// Whether damaged bytes are at the end, so that nothing may be appended after them.
  var endsDamaged = false
  var rows: [RecoveryRow] = []
  /// Runs of valid batches.
  var verified: [Range<Int>] = []
  var sawProducers = false
  /// The greatest producer id, of those that a store assigns; -1 if none was found.
  var greatestProducerId: Int64 = -1
  var bytesScanned = 0
  /// Entries of the indexes after the kept ones; nil if the indexes stay unchanged.
  var index: IndexAccumulator?
  /// The same after the entries that stay if the indexes are right.
  var rest: IndexAccumulator?
  /// Leading entries of the existing indexes that are kept.
  var kept = IndexProbe.Prefix.none
  /// Largest timestamp, and the batch that first had it.
  var largest: TimestampOffset
  /// Evidence beside a broker's segment of records after its end.
  var evidence: EndEvidence?
  var wrongIndexes: [WrongIndex] = []
  /// Errors of opening or reading the index files.
  var indexFaults: [DiskError] = []

  /// Why the `.log` could not be read.
  var refusal: DiskError?
  /// Other files that could not be read.
  var unreadable: [DiskError] = []
  /// Whether a running writer removed the segment before it could be examined.
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

  /// Position of the first byte that is not part of the log.
  var end: Int { cut?.position ?? position }
}
