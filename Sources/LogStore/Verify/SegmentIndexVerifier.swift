import DiskIO
import RecordFormat

/// Compares the index files of one segment with its batches during the walk over them.
struct SegmentIndexVerifier {
  /// Largest index file that is read: four times Kafka's default.
  static let indexBytesMax = 40 << 20

  private let disk: any Disk
  private let place: SegmentPlace
  /// Whether a running writer may change the files meanwhile.
  private let isLive: Bool
  private var offsets: OffsetIndexCheck?
  private var times: TimeIndexCheck?
  private var aborted: AbortedTransactionCheck?
  private var contents: [SegmentName.Kind: [UInt8]] = [:]
  private var damage: [SideFileDamage] = []
  private var wrong: [SegmentOutcome.WrongIndex] = []
  private var unreadable: [DiskError] = []
  /// Errors of reading an index, which is then rebuilt.
  private var faults: [DiskError] = []
  private var notes: [VerificationNote] = []
  private var isCut = false

  init(_ place: SegmentPlace, isLive: Bool) {
    self.place = place
    self.isLive = isLive
    disk = place.directory.disk
  }

  /// Of the batches so far; nil if there is none, or the time index is missing.
  var largestTimestamp: Int64? { times?.largestTimestamp }

  /// Reads the files. Must precede reading the log's size: a running writer adds entries only for
  /// existing bytes.
  mutating func load() {
    if let content: IndexContent<OffsetIndexEntry> = content(.index) {
      offsets = OffsetIndexCheck(content.entries)
    }
    if let content: IndexContent<TimeIndexEntry> = content(.timeindex) {
      times = TimeIndexCheck(content.entries, baseOffset: place.baseOffset)
    }
    loadAborted()
  }

  /// The last entries of both indexes, as they are on disk.
  var entries: IndexProbe.Prefix {
    let offsets = offsetEntries
    let times = timeEntries
    return IndexProbe.Prefix(
      offsetEntries: offsets.count, timeEntries: times.count,
      lastOffset: offsets.last.map { OffsetPosition(offset: $0.offset, position: $0.position) },
      lastTime: times.last.map { TimestampOffset(timestamp: $0.timestamp, offset: $0.offset) })
  }

  private var offsetEntries: [OffsetIndexEntry] {
    guard let bytes = contents[.index] else { return [] }
    return IndexContent(bytes.span, baseOffset: place.baseOffset).entries
  }

  private var timeEntries: [TimeIndexEntry] {
    guard let bytes = contents[.timeindex] else { return [] }
    return IndexContent(bytes.span, baseOffset: place.baseOffset).entries
  }

  /// Adds an index whose entries refer to damaged or missing records: they point to nothing that
  /// can be read.
  func findUseless(_ outcome: inout SegmentOutcome) {
    func add(_ kind: SegmentName.Kind, _ isUseless: Bool) {
      guard isUseless, !outcome.wrongIndexes.contains(where: { $0.kind == kind }) else { return }
      outcome.wrongIndexes.append(
        .init(kind: kind, reason: "has entries for records that are not there"))
    }
    let damage = outcome.damage
    add(
      .index,
      offsetEntries.contains { entry in
        entry.position >= outcome.end || damage.contains { $0.bytes.contains(entry.position) }
      })
    // The offset after damage at a segment's end may be reported differently later; which offsets
    // exist may not.
    let isBroken = outcome.cut != nil || !damage.isEmpty
    let runs = outcome.runs
    add(
      .timeindex,
      timeEntries.contains { entry in
        entry.offset >= (outcome.cut?.offset ?? outcome.nextOffset)
          || isBroken && !runs.contains { $0.contains(entry.offset) }
      })
  }

  mutating func pass(_ header: BatchHeader, _ position: Int) {
    offsets?.pass(header, position)
    times?.pass(header)
    aborted?.pass(header)
  }

  /// Called for damaged bytes; the next valid batch starts at `next` or later.
  mutating func passDamage(_ bytes: Range<Int>, before next: Int64) {
    offsets?.passDamage(bytes)
    times?.passDamage(before: next)
    isCut = isCut || next == Int64.max
  }

  /// Called after the last batch.
  mutating func end(at position: Int) {
    offsets?.finish(at: position)
    times?.finish()
    aborted?.finish(isComplete: !isCut)
  }

  /// Adds the findings to the outcome.
  mutating func finish(_ outcome: inout SegmentOutcome) {
    report(.index, offsets?.verdict)
    report(.timeindex, times?.verdict)
    report(.txnindex, aborted?.verdict)
    outcome.sideFileDamage += damage
    outcome.wrongIndexes += wrong
    outcome.unreadable += unreadable
    outcome.indexFaults += faults
    outcome.notes += notes
  }

  private mutating func content<Entry: IndexFileEntry>(
    _ kind: SegmentName.Kind
  ) -> IndexContent<Entry>? {
    guard let bytes = read(kind) else { return nil }
    let content = IndexContent<Entry>(bytes.span, baseOffset: place.baseOffset)
    contents[kind] = bytes
    if content.strayBytes > 0 {
      add(kind, "\(bytes.count) bytes are not a whole number of \(Entry.byteCount)-byte entries")
    }
    if content.zeroTailBytes > 0 {
      note(kind, "\(content.zeroTailBytes) bytes preallocated and not in use")
    }
    return content
  }

  private mutating func loadAborted() {
    guard let bytes = read(.txnindex) else { return }
    do throws(CheckpointError) {
      aborted = AbortedTransactionCheck(
        try AbortedTransaction.decode(
          bytes.span, baseOffset: place.baseOffset, path: place.path(.txnindex)))
    } catch {
      switch error {
      case .disk(let error): unreadable.append(error)
      case .unreadable(_, _, let what): add(.txnindex, what)
      }
    }
  }

  private mutating func read(_ kind: SegmentName.Kind) -> [UInt8]? {
    do throws(CheckpointError) {
      let bytes = try SmallFile.read(disk, place.path(kind), limit: Self.indexBytesMax)
      if bytes == nil, kind != .txnindex {
        wrong.append(.init(kind: kind, reason: "missing", isMissing: true))
      }
      return bytes
    } catch {
      switch error {
      case .disk(let error) where error.isOutOfDescriptors || kind == .txnindex:
        if !error.isNotFound { unreadable.append(error) }
      // A bad sector under an index is not one under its log, which is examined anyway.
      case .disk(let error):
        guard !error.isNotFound else { return nil }
        add(kind, "cannot be read: \(error)")
        faults.append(error)
      case .unreadable(_, _, let what): add(kind, what)
      }
      return nil
    }
  }

  private mutating func report(_ kind: SegmentName.Kind, _ verdict: IndexVerdict?) {
    guard let reason = verdict?.reason else { return }
    if isLive, hasChanged(kind) {
      note(kind, "changed while it was looked at, by a running writer; not judged")
    } else {
      add(kind, reason)
    }
  }

  /// Whether a running writer has changed the file since it was read.
  private func hasChanged(_ kind: SegmentName.Kind) -> Bool {
    guard let before = contents[kind] else { return false }
    do throws(CheckpointError) {
      return try SmallFile.read(disk, place.path(kind), limit: Self.indexBytesMax) != before
    } catch {
      return true
    }
  }

  private mutating func add(_ kind: SegmentName.Kind, _ reason: String) {
    guard kind == .txnindex else {
      if !wrong.contains(where: { $0.kind == kind }) {
        wrong.append(.init(kind: kind, reason: reason))
      }
      return
    }
    damage.append(
      SideFileDamage(
        file: place.plainPath(kind), reason: reason, remedy: SideFileRemedy.transactionIndex))
  }

  private mutating func note(_ kind: SegmentName.Kind, _ text: String) {
    notes.append(VerificationNote(file: place.path(kind), text: text))
  }
}
