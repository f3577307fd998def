import DiskIO

/// What to do about the small files beside a log's segments, which must agree with the log's start
/// and end.
struct SideFilePlan {
  private let frame: LogFrame
  private let end: Int64
  private let start: Int64
  private(set) var actions: [RecoveryAction] = []
  private(set) var damage: [SideFileDamage] = []
  private(set) var unreadable: [DiskError] = []
  /// The log's epochs between its start and its end.
  private(set) var epochs = LeaderEpochCheckpoint([])
  /// Base offsets of the producer snapshots that stay.
  private(set) var snapshots: [Int64] = []

  init(_ frame: LogFrame, end: Int64, start: Int64) {
    self.frame = frame
    self.end = end
    self.start = start
  }

  /// A snapshot beyond the log's end describes lost batches. It is removed, durably, before others
  /// take their offsets: if it came back, it would be wrong about them.
  mutating func keepSnapshots(of bases: [Int64]) {
    let all = frame.layout.snapshots
    let sorted = Self.sortSnapshots(all.filter { $0 <= end }, Set(bases))
    snapshots = sorted.kept
    for offset in all.filter({ $0 > end }) {
      remove(offset, "lists producers of batches beyond the log's end")
    }
    for offset in sorted.strays { remove(offset, "an old producer snapshot of no segment") }
  }

  private mutating func remove(_ snapshot: Int64, _ reason: String) {
    actions.append(.remove(SegmentName(snapshot, .snapshot).fileName, reason: reason))
  }

  /// Kafka's rule: snapshots at a segment's base stay, and the newest if it is after all of them.
  static func sortSnapshots(_ offsets: [Int64], _ bases: Set<Int64>) -> (
    kept: [Int64], strays: [Int64]
  ) {
    var kept = offsets.filter { bases.contains($0) }
    var strays = offsets.filter { !bases.contains($0) }
    if let newest = strays.last, newest > bases.max() ?? -1 {
      strays.removeLast()
      kept.append(newest)
    }
    return (kept, strays)
  }

  /// Writes the log's start to the log's own file, before the store writes a checkpoint that counts
  /// as ours.
  mutating func keepStart() {
    guard let offset = frame.startEvidence.offsetToWrite else { return }
    let path = frame.directory.path(LogStartFile.name)
    let isInTheWay = frame.names.sideFileDamage.contains { $0.file == path && !$0.isMendedByOpen }
    if !isInTheWay { actions.append(.writeStart(offset)) }
  }

  /// Limits the epochs to the log's range as Kafka does when it loads a log.
  ///
  /// An epoch that begins beyond the end (its batches are lost) is made to begin at the end: epochs
  /// never go back, and the next batches belong to the last one.
  mutating func fitEpochs() {
    if let wrong = lateEpochs {
      damage.append(wrong)
      return writeOwnEpochs()
    }
    let evidence = frame.epochEvidence
    if evidence.state == .wrong {
      damage.append(
        SideFileDamage(
          file: frame.directory.path(LeaderEpochCheckpoint.name),
          reason: "says other epochs than \(EpochsFile.name), which has a CRC", remedy: nil))
    }
    var entries = frame.epochs?.entries ?? []
    let beyond = entries.last.flatMap { $0.startOffset > end ? $0.epoch : nil }
    if let beyond {
      entries.removeAll { $0.startOffset >= end }
      entries.append(.init(epoch: beyond, startOffset: end))
    }
    if beyond != nil || evidence.state != .right {
      actions.append(.writeEpochs(LeaderEpochCheckpoint(entries)))
    }
    epochs = LeaderEpochCheckpoint(entries)
    epochs.cut(before: start)
  }

  /// The first epoch of a log that only this engine has written begins with the log; if it begins
  /// later, some batches have no epoch.
  private var lateEpochs: SideFileDamage? {
    guard frame.rules.isGapless, let first = frame.epochs?.entries.first,
      first.startOffset > start
    else { return nil }
    return SideFileDamage(
      file: frame.directory.path(LeaderEpochCheckpoint.name),
      reason: "epoch \(first.epoch) begins at offset \(first.startOffset), but the log at "
        + "\(start)", remedy: nil)
  }

  /// In a copy, removes a state of producers that is ahead of the log, durably, before other
  /// records take its offsets.
  mutating func fitProducers() throws(DiskError) {
    guard frame.isCopy else { return }
    do throws(CheckpointError) {
      let state = try ProducerFile.read(frame.directory, expirationMs: Int64.max)
      if let state, state.endOffset > end {
        actions.append(
          .remove(ProducerFile.name, reason: "lists batches beyond the end of this copy"))
      }
    } catch {
      // A file that cannot be read is not used later either.
      if case .disk(let error) = error, error.isOutOfDescriptors { throw error }
    }
  }

  /// Reads every small file. Content that the log itself determines is rebuilt: the epochs of a log
  /// that only this engine has written, all 0, and snapshots, where an older one suffices.
  mutating func check(_ outcomes: [SegmentOutcome]) {
    let findings = SideFileVerifier(frame.directory.disk).logFindings(frame, outcomes)
    let areMended = areEpochsMended(outcomes)
    unreadable += findings.unreadable
    let epochsPath = frame.directory.path(LeaderEpochCheckpoint.name)
    // One finding per file is enough.
    let isTold = damage.contains { $0.file == epochsPath }
    for found in findings.damage where !isTold || found.file != epochsPath {
      let name = SegmentName(PathText.lastComponent(found.file))
      if found.file == epochsPath {
        damage.append(
          SideFileDamage(
            file: found.file, reason: found.reason,
            remedy: areMended ? nil : found.remedy))
      } else {
        damage.append(found)
      }
      if found == RecoveryHistory.wrongFile(frame.directory) { actions.append(.writeHistory) }
      guard let name, name.kind == .snapshot, snapshots.contains(name.baseOffset) else { continue }
      snapshots.removeAll { $0 == name.baseOffset }
      remove(name.baseOffset, found.reason)
    }
    let isWrong = findings.damage.contains { $0.file == epochsPath }
    let isWritten = frame.epochEvidence.state != .right
    if areMended, !isTold, !isWritten, isWrong || frame.epochs == nil { writeOwnEpochs() }
  }

  /// Whether the epochs can be rebuilt. That requires a log that only this engine has written, in
  /// which all batches have the epoch that would be assigned to them (others would be judged
  /// differently from then on), and no non-empty directory under the file's name.
  private func areEpochsMended(_ outcomes: [SegmentOutcome]) -> Bool {
    let isKnown =
      frame.epochEvidence.own != nil
      || outcomes.allSatisfy { $0.epochStarts.allSatisfy { $0.epoch == 0 } }
    guard frame.rules.isGapless, isKnown else { return false }
    let path = frame.directory.path(LeaderEpochCheckpoint.name)
    do throws(DiskError) {
      guard try frame.directory.disk.status(path)?.kind == .directory else { return true }
      return try frame.directory.disk.list(path).isEmpty
    } catch {
      return false
    }
  }

  private mutating func writeOwnEpochs() {
    let own =
      frame.epochEvidence.own ?? LeaderEpochCheckpoint([.init(epoch: 0, startOffset: 0)])
    actions.append(.writeEpochs(own))
    epochs = own
  }
}
