import DiskIO
import MkstoreBytes
import RecordFormat

/// Checks of a verification besides the batches' headers and CRCs, made during the walk: records,
/// gaps, leader epochs, and the segment's index files.
struct SegmentChecks: ~Copyable {
  /// Bytes between two reports of progress.
  private static let progressBytes = 4 << 20

  private let place: SegmentPlace
  private let depth: SurveyOptions.Depth
  private let meter: VerificationMeter?
  private var decoder = RecordDecoder(tolerance: .kafka)
  /// Of the current batch, if its records were decoded.
  private var summary: BatchSummary?
  /// Why the records of the current batch cannot be decoded.
  private(set) var recordFault: BatchError?
  private var oddities: BatchFindings = []
  private var indexes: SegmentIndexVerifier
  private var counts: SegmentOutcome
  private var reportedBytes = 0

  init(
    _ place: SegmentPlace, _ options: SurveyOptions, _ indexes: SegmentIndexVerifier,
    meter: VerificationMeter?
  ) {
    self.place = place
    self.meter = meter
    self.indexes = indexes
    depth = options.depth
    counts = SegmentOutcome(place)
  }

  /// Largest timestamp of the batches so far; nil if there is none.
  var largestTimestamp: Int64? { indexes.largestTimestamp }

  mutating func next(_ scanner: inout SegmentScanner) throws(DiskError) -> ScanEvent {
    summary = nil
    recordFault = nil
    if depth == .quick { return try scanner.next() }
    let isDeep = depth == .deep
    return try scanner.next { (header, bytes) throws(BatchError) in
      // For sets of the old formats even the number of records is otherwise unknown.
      guard isDeep || header.isLegacy else { return }
      do throws(BatchError) {
        summary = try RecordBatch(bytes).validate(.stored, decoder: &decoder)
      } catch {
        recordFault = error
      }
    }
  }

  mutating func pass(_ header: BatchHeader, _ position: Int, after expected: Int64) {
    if recordFault == nil {
      counts.recordCount += summary?.recordCount ?? max(0, Int(header.recordCount))
      counts.batchCount += 1
    }
    if let odd = summary?.findings, !oddities.isSuperset(of: odd) {
      note(odd.subtracting(oddities), position)
      oddities.formUnion(odd)
    }
    // Sets of the old formats state only their last offset, so gaps are unknown.
    if !header.isLegacy {
      if expected < header.baseOffset { passGap(expected..<header.baseOffset) }
      passEpoch(header, position)
    }
    indexes.pass(header, position)
    if position + header.byteCount - reportedBytes >= Self.progressBytes {
      meter?.add(position + header.byteCount - reportedBytes)
      reportedBytes = position + header.byteCount
    }
  }

  private mutating func passGap(_ gap: Range<Int64>) {
    counts.missingOffsetCount += gap.upperBound - gap.lowerBound
    if counts.gaps.count < SegmentOutcome.gapsMax { counts.gaps.append(gap) }
  }

  /// Notes records that break the rules but that Kafka's readers accept: once for each kind.
  private mutating func note(_ odd: BatchFindings, _ position: Int) {
    let texts = odd.descriptions.joined(separator: "; ")
    counts.notes.append(
      VerificationNote(
        file: place.logPath,
        text: "Kafka tolerates it: \(texts) (first at position \(position))"))
  }

  private mutating func passEpoch(_ header: BatchHeader, _ position: Int) {
    guard header.leaderEpoch != counts.epochStarts.last?.epoch,
      counts.epochStarts.count < SegmentOutcome.epochStartsMax
    else { return }
    counts.epochStarts.append(
      SegmentOutcome.EpochStart(
        epoch: header.leaderEpoch, offset: header.baseOffset, position: position))
  }

  /// Called for damaged bytes; the next valid batch starts at `next` or later.
  mutating func passDamage(_ bytes: Range<Int>, before next: Int64) {
    indexes.passDamage(bytes, before: next)
  }

  /// Called for an unfinished write at the log's end: its entries may have reached the disk before
  /// it.
  mutating func passCut(at position: Int) {
    indexes.passDamage(position..<Int.max, before: Int64.max)
  }

  /// Called after the last batch.
  mutating func end(at position: Int, isCut: Bool) { indexes.end(at: position) }

  /// Adds the findings to the outcome.
  mutating func finish(_ outcome: inout SegmentOutcome) {
    indexes.finish(&outcome)
    outcome.recordCount = counts.recordCount
    outcome.batchCount = counts.batchCount
    outcome.missingOffsetCount = counts.missingOffsetCount
    outcome.gaps = counts.gaps
    outcome.epochStarts = counts.epochStarts
    outcome.notes += counts.notes
    meter?.add(max(0, outcome.size - reportedBytes))
  }
}
