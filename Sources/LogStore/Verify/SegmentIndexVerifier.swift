import DiskIO
import RecordFormat

/// The index files of one segment, compared with its batches while these pass by.
struct SegmentIndexVerifier {
  /// Largest index file that is read: four times what Kafka makes by default.
  static let indexBytesMax = 40 << 20

  private let disk: any Disk
  private let plan: SegmentPlan
  private var offsets: OffsetIndexCheck?
  private var times: TimeIndexCheck?
  private var aborted: AbortedTransactionCheck?
  private var contents: [SegmentName.Kind: [UInt8]] = [:]
  private var damage: [SideFileDamage] = []
  private var notes: [VerificationNote] = []
  private var isCut = false

  init(_ disk: any Disk, _ plan: SegmentPlan) {
    self.disk = disk
    self.plan = plan
  }

  /// Of the batches that have passed; nil where none has, or the time index is missing.
  var largestTimestamp: Int64? { times?.largestTimestamp }

  /// Reads the files. Must come before the log's size is looked at: a running writer adds entries
  /// only for bytes that are there.
  mutating func load() throws(DiskError) {
    guard let kinds = plan.indexes else { return }
    if kinds.contains(.index) {
      if let content: IndexContent<OffsetIndexEntry> = try content(.index) {
        offsets = OffsetIndexCheck(content.entries)
      }
    } else {
      note(.index, "missing; the next open for writing makes it anew")
    }
    if kinds.contains(.timeindex) {
      if let content: IndexContent<TimeIndexEntry> = try content(.timeindex) {
        times = TimeIndexCheck(content.entries, baseOffset: plan.baseOffset)
      }
    } else {
      note(.timeindex, "missing; the next open for writing makes it anew")
    }
    if kinds.contains(.txnindex) { try loadAborted() }
  }

  mutating func pass(_ header: BatchHeader, _ position: Int) {
    offsets?.pass(header, position)
    times?.pass(header)
    aborted?.pass(header)
  }

  /// Damaged bytes; the next valid batch starts at `next` or later.
  mutating func passDamage(_ bytes: Range<Int>, before next: Int64) {
    offsets?.passDamage(bytes)
    times?.passDamage(before: next)
    isCut = isCut || next == Int64.max
  }

  /// The unfinished write at the log's end: its entries may have reached the disk before it.
  mutating func passTornTail(_ bytes: Range<Int>) {
    passDamage(bytes.lowerBound..<Int.max, before: Int64.max)
  }

  /// The last batch has passed.
  mutating func end(at position: Int) {
    offsets?.finish(at: position)
    times?.finish()
    aborted?.finish(isComplete: !isCut)
  }

  /// Hands over what was found.
  mutating func finish(_ findings: inout SegmentFindings) {
    report(.index, offsets?.verdict)
    report(.timeindex, times?.verdict)
    report(.txnindex, aborted?.verdict)
    findings.sideFileDamage += damage
    findings.notes += notes
  }

  private mutating func content<Entry: IndexFileEntry>(
    _ kind: SegmentName.Kind
  ) throws(DiskError) -> IndexContent<Entry>? {
    guard let bytes = try read(kind) else { return nil }
    let content = IndexContent<Entry>(bytes.span, baseOffset: plan.baseOffset)
    contents[kind] = bytes
    if content.strayBytes > 0 {
      add(kind, "\(bytes.count) bytes are no whole number of \(Entry.byteCount)-byte entries")
    }
    if content.zeroTailBytes > 0 {
      note(kind, "\(content.zeroTailBytes) bytes preallocated and not in use")
    }
    return content
  }

  private mutating func loadAborted() throws(DiskError) {
    guard let bytes = try read(.txnindex) else { return }
    do throws(CheckpointError) {
      aborted = AbortedTransactionCheck(
        try AbortedTransaction.decode(
          bytes.span, baseOffset: plan.baseOffset, path: plan.path(of: .txnindex)))
    } catch {
      switch error {
      case .disk(let error): throw error
      case .unreadable(_, _, let what): add(.txnindex, what)
      }
    }
  }

  private mutating func read(_ kind: SegmentName.Kind) throws(DiskError) -> [UInt8]? {
    do throws(CheckpointError) {
      return try SmallFile.read(disk, plan.path(of: kind), limit: Self.indexBytesMax)
    } catch {
      switch error {
      case .disk(let error) where error.isOutOfDescriptors: throw error
      // A bad sector under an index is none under its log, which is looked at all the same.
      case .disk(let error): add(kind, "cannot be read: \(error)")
      case .unreadable(_, _, let what): add(kind, what)
      }
      return nil
    }
  }

  private mutating func report(_ kind: SegmentName.Kind, _ verdict: IndexVerdict?) {
    guard let reason = verdict?.reason else { return }
    if plan.isOpenEnded, hasChanged(kind) {
      note(kind, "changed while it was looked at, by a running writer; not judged")
    } else {
      add(kind, reason)
    }
  }

  /// Whether a running writer has touched the file since it was read.
  private mutating func hasChanged(_ kind: SegmentName.Kind) -> Bool {
    guard let before = contents[kind] else { return false }
    do throws(DiskError) {
      return try read(kind) != before
    } catch {
      return true
    }
  }

  private mutating func add(_ kind: SegmentName.Kind, _ reason: String) {
    let isMended = kind != .txnindex
    damage.append(
      SideFileDamage(file: plan.path(of: kind), reason: reason, isMendedByOpen: isMended))
  }

  private mutating func note(_ kind: SegmentName.Kind, _ text: String) {
    notes.append(VerificationNote(file: plan.path(of: kind), text: text))
  }
}
