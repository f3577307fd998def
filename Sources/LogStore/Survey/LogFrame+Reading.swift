internal import DiskIO

extension LogFrame {
  /// Reads a log's names, its mark and its checkpoints.
  ///
  /// The mark comes first: a running writer moves it after the segments that it describes, so an
  /// earlier mark never describes segments that are missing from the names.
  static func read(
    _ directory: LogDirectory, _ hints: LogHints, isForWriting: Bool
  ) throws(DiskError) -> LogFrame {
    var names = NameFindings()
    let (directory, hints) = try seenThroughJournal(directory, hints, &names)
    let pending = try PendingTruncation(directory, &names)
    let mark = if let pending { pending.mark(directory) } else { try DurableMark.read(directory) }
    var entries = try self.entries(of: directory, &names)
    if let pending { entries = pending.settled(entries) }
    var layout = try SegmentLayout(entries, in: directory)
    pending?.rename(&layout.entries)
    let isOutrun = try Self.isOutrun(mark.newest, layout, directory)
    let point = RecoveryPoint.judge(
      mark, checkpoint: hints.recoveryPoint, isOutrun: isOutrun,
      bootIdentifier: directory.disk.bootIdentifier)
    let start = try startEvidence(hints, mark, isOutrun, directory, entries, &names)
    let isCleanStop =
      hints.isCleanStop ? try isCleanStopTold(mark, layout, isOutrun, directory) : false
    let standsBeyondMark = isOutrun && (!mark.isCopy || hints.isCompacted)
    let epochs = try epochEvidence(
      pending, OwnLogRules.isOwn(mark.newest, standsBeyondMark: standsBeyondMark),
      start: start.start ?? 0, directory, &names)
    // In a copy, records beyond the mark were mostly written before the file was copied; only a
    // broker's cleaner leaves gaps.
    let rules = OwnLogRules(mark.newest, standsBeyondMark: standsBeyondMark, epochs: epochs)
    let strays = self.strays(layout, mark.newest, directory)
    var frame = LogFrame(
      directory: directory, hints: hints, startEvidence: start, mark: mark, layout: layout,
      point: point, isOutrun: isOutrun, isCleanStop: isCleanStop, rules: rules,
      epochEvidence: epochs,
      noted: try KnownLosses.read(directory, entries, &names), places: [], firstWalked: 0,
      names: names)
    if let pending { frame.noted = pending.settled(frame.noted) }
    frame.readAccepted()
    frame.place(without: Set(strays.map(\.baseOffset)))
    frame.judgeNames(strays)
    frame.noteLostStart()
    frame.findFirstWalked(isForWriting: isForWriting)
    try frame.setEmptyAside()
    return frame
  }

  /// The log's files as they are once the journal was put into them.
  private static func seenThroughJournal(
    _ directory: LogDirectory, _ hints: LogHints, _ names: inout NameFindings
  ) throws(DiskError) -> (LogDirectory, LogHints) {
    if let losses = hints.journalLosses {
      names.damage += losses
      return (directory, hints)
    }
    let entries = try KeptEntries.read(directory) + hints.journal
    if entries.isEmpty { return (directory, hints) }
    let replay = try JournalReplay(
      entries, in: directory, startHint: hints.logStartOffset, fresh: false)
    names.damage += replay.losses
    if replay.writes.isEmpty { return (directory, hints) }
    var hints = hints
    // What the marker says of the files is from before.
    hints.isCleanStop = false
    let view = JournalView(directory.disk, replay, in: directory)
    return (
      LogDirectory(disk: view, path: directory.path, mapsIndexes: directory.mapsIndexes), hints
    )
  }

  /// The directory's names; a link to a file of the log counts as the file.
  private static func entries(
    of directory: LogDirectory, _ names: inout NameFindings
  ) throws(DiskError) -> [DirectoryEntry] {
    var entries = try directory.disk.list(directory.path).sorted { $0.name < $1.name }
    for index in entries.indices {
      guard SegmentName(entries[index].name) != nil else { continue }
      let path = directory.path(entries[index].name)
      if entries[index].kind == .symbolicLink {
        do throws(DiskError) {
          guard let kind = try directory.disk.status(path)?.kind else {
            throw DiskError.notFound(.open, path)
          }
          entries[index].kind = kind
        } catch {
          noteBroken(error, entries[index], path, entries, &names)
          continue
        }
      }
      if entries[index].kind != .file, try !isMended(entries[index], path, directory) {
        names.sideFileDamage.append(
          SideFileDamage(
            file: path, reason: "is not a file, so it holds nothing of the log",
            remedy: SideFileRemedy.noFile))
      }
    }
    return entries
  }

  /// Whether an opening replaces something that is not a file by a new index: an empty directory.
  private static func isMended(
    _ entry: DirectoryEntry, _ path: String, _ directory: LogDirectory
  ) throws(DiskError) -> Bool {
    let kind = SegmentName(entry.name)?.kind
    guard kind == .index || kind == .timeindex, entry.kind == .directory else { return false }
    return try directory.disk.list(path).isEmpty
  }

  /// Reports a link that may not be followed, or is broken. The content of a `.log` behind it is
  /// unknown, as for any file that may not be opened. An index is rebuilt. For other files the link
  /// itself is the fault.
  private static func noteBroken(
    _ error: DiskError, _ entry: DirectoryEntry, _ path: String, _ entries: [DirectoryEntry],
    _ names: inout NameFindings
  ) {
    names.broken.append(error)
    let isNowhere = error.isNotFound || error.isLinkLoop
    let reason = isNowhere ? "is a link that leads nowhere" : "is a link that may not be followed"
    guard let name = SegmentName(entry.name) else { return }
    let isIndex = name.stage == nil && (name.kind == .index || name.kind == .timeindex)
    let log = SegmentName(name.baseOffset, .log).fileName
    if name.isLog || !isIndex && !isNowhere {
      names.unreadable.append(error)
      names.notes.append(
        VerificationNote(file: path, text: "\(reason): \(SideFileRemedy.brokenLink)"))
    } else {
      let isMended = isIndex && entries.contains { $0.name == log }
      if isMended { names.actions.append(.remove(entry.name, reason: reason)) }
      names.sideFileDamage.append(
        SideFileDamage(
          file: path, reason: reason, remedy: isMended ? nil : SideFileRemedy.brokenLink))
    }
  }

  /// Whether another program wrote after a clean mark: a segment follows it, or a valid batch.
  /// Other bytes prove no writer, and an opening may cut them off.
  private static func isOutrun(
    _ newest: MarkRecord?, _ layout: SegmentLayout, _ directory: LogDirectory
  ) throws(DiskError) -> Bool {
    guard let newest, newest.isClean else { return false }
    if let last = layout.entries.last, newest.isOutrun(by: last.baseOffset, byteCount: 0) {
      return true
    }
    for entry in layout.entries where entry.baseOffset >= newest.segmentBaseOffset {
      let path = directory.path(entry.logName)
      let size = try directory.disk.status(path)?.size ?? 0
      guard newest.isOutrun(by: entry.baseOffset, byteCount: size) else { continue }
      let start = entry.baseOffset == newest.segmentBaseOffset ? newest.position : 0
      if try holdsBatch(path, start..<size, newest.recoveryPoint, directory.disk) { return true }
    }
    return false
  }

  /// Whether a valid batch at or after an offset is in these bytes.
  private static func holdsBatch(
    _ path: String, _ bytes: Range<Int>, _ offset: Int64, _ disk: any Disk
  ) throws(DiskError) -> Bool {
    let log: any DiskFile
    do throws(DiskError) {
      log = try disk.open(path, .read)
    } catch {
      // Without access it is unknown who wrote it.
      return true
    }
    var scanner = SegmentScanner(
      log, from: bytes.lowerBound, endPosition: bytes.upperBound, expectedOffset: offset,
      offsetLimit: SegmentScanner.offsetLimit(after: offset))
    switch try scanner.next() {
    case .batch: return true
    case .end: return false
    case .invalid: return try scanner.resume().header != nil
    }
  }

  private static func startEvidence(
    _ hints: LogHints, _ mark: DurableMark.Contents, _ isOutrun: Bool, _ directory: LogDirectory,
    _ entries: [DirectoryEntry], _ names: inout NameFindings
  ) throws(DiskError) -> StartEvidence {
    StartEvidence(
      own: try .read(directory, entries, &names),
      line: believableLine(hints, mark, isOutrun, directory, &names))
  }

  /// Kafka's checkpoint has no CRC, so one wrong bit in it must not hide records: a closed log ends
  /// where its mark says, and does not begin after that.
  private static func believableLine(
    _ hints: LogHints, _ mark: DurableMark.Contents, _ isOutrun: Bool, _ directory: LogDirectory,
    _ names: inout NameFindings
  ) -> Int64? {
    guard let newest = mark.newest, newest.isClean, !isOutrun, !mark.isCopy,
      let start = hints.logStartOffset, start > newest.recoveryPoint
    else { return hints.logStartOffset }
    let name = OffsetCheckpoint.Name.logStart.rawValue
    names.notes.append(
      VerificationNote(
        file: "\(PathText.parent(directory.path))/\(name)",
        text: "says that the log begins at offset \(start), but it was closed with its end at "
          + "\(newest.recoveryPoint); it is not believed"))
    return nil
  }

  /// Whether the store's clean marker applies to the log as it is. For a copy its mark must confirm
  /// that: written at a clean stop, with segments that do not end before it.
  private static func isCleanStopTold(
    _ mark: DurableMark.Contents, _ layout: SegmentLayout, _ isOutrun: Bool,
    _ directory: LogDirectory
  ) throws(DiskError) -> Bool {
    guard mark.isCopy, let newest = mark.newest else { return true }
    guard newest.isClean, let last = layout.entries.last else { return false }
    if isOutrun { return true }
    guard last.baseOffset == newest.segmentBaseOffset else { return false }
    return try directory.disk.status(directory.path(last.logName))?.size == newest.position
  }

  private static func epochEvidence(
    _ pending: PendingTruncation?, _ isOwn: Bool, start: Int64, _ directory: LogDirectory,
    _ names: inout NameFindings
  ) throws(DiskError) -> EpochEvidence {
    if let epochs = pending?.epochs {
      return EpochEvidence(told: epochs, own: epochs, isOwn: isOwn, start: start)
    }
    let told = try readEpochs(directory, &names)
    var own: LeaderEpochCheckpoint?
    do throws(CheckpointError) {
      own = try EpochsFile.read(directory)
    } catch {
      if case .disk(let error) = error { throw error }
      let reason = "its CRC or another part of it is wrong; leader epochs are not checked any more"
      names.sideFileDamage.append(
        SideFileDamage(file: directory.path(EpochsFile.name), reason: reason, remedy: nil))
      names.actions.append(.remove(EpochsFile.name, reason: reason))
    }
    let evidence = EpochEvidence(told: told, own: own, isOwn: isOwn, start: start)
    if told == nil, evidence.own != nil {
      // Replaces the text about a file that nothing rebuilds.
      let path = directory.path(LeaderEpochCheckpoint.name)
      let isThere = names.notes.contains { $0.file == path }
      names.notes.removeAll { $0.file == path }
      if isThere {
        names.notes.append(
          VerificationNote(file: path, text: "cannot be read; \(EpochsFile.name) holds the epochs"))
      }
    }
    return evidence
  }

  private static func readEpochs(
    _ directory: LogDirectory, _ names: inout NameFindings
  ) throws(DiskError) -> LeaderEpochCheckpoint? {
    do throws(CheckpointError) {
      return try LeaderEpochCheckpoint.read(directory.disk, directory: directory.path)
    } catch {
      if case .disk(let error) = error { names.unreadable.append(error) }
      names.notes.append(
        VerificationNote(
          file: directory.path(LeaderEpochCheckpoint.name),
          text: "\(error); epoch 0 is used for new batches, and leader epochs are not checked"))
      return nil
    }
  }

  /// Files that are no segments. With a mark, only files beside the segment that it names are
  /// examined: earlier ones are not even opened.
  private static func strays(
    _ layout: SegmentLayout, _ newest: MarkRecord?, _ directory: LogDirectory
  ) -> [StraySegments.Stray] {
    let known = newest?.segmentBaseOffset ?? Int64.min
    return StraySegments.find(
      layout.entries.filter { $0.baseOffset >= known }.map {
        StraySegments.Candidate(
          baseOffset: $0.baseOffset, path: directory.path($0.logName),
          hasOffsetIndex: $0.hasOffsetIndex)
      }, directory.disk)
  }

  private mutating func place(without strays: Set<Int64>) {
    places = layout.entries.filter { !strays.contains($0.baseOffset) }.map {
      SegmentPlace(directory: directory, entry: $0)
    }
    linkPlaces()
  }

  private mutating func linkPlaces() {
    for index in places.indices {
      places[index].nextBaseOffset =
        index + 1 < places.count ? places[index + 1].baseOffset : nil
    }
  }

  /// If this engine began a log at offset 0, everything missing before its first segment is lost:
  /// only a broker's retention deletes segments, and it also moves the first epoch's start.
  private mutating func noteLostStart() {
    guard rules.isGapless, let first = places.first?.baseOffset else { return }
    let begins = max(startHint, epochs?.entries.first?.startOffset ?? 0)
    guard begins < first else { return }
    let lost = loss(
      DamagedRange(
        file: directory.path(SegmentName(begins, .log).fileName), bytes: 0..<0,
        offsets: begins..<first,
        reason: "the log's first segments are missing; put the files back from a copy"))
    if let lost { names.damage.append(lost) }
  }

  /// Index of the segment that contains our own log start. All records below the start were synced
  /// before it was written and are deleted, even if the mark that a power cut left is older. Any of
  /// the segments before it may have lost its name, which is no loss of records.
  private var firstHoldingRecords: Int? {
    guard isOwnUnclean, case .right(let start) = startEvidence.own else { return nil }
    return places.lastIndex { $0.baseOffset <= start }
  }

  private mutating func findFirstWalked(isForWriting: Bool) {
    let index =
      looksAtEndOnly(isForWriting: isForWriting)
      ? places.count - 1
      : places.lastIndex { $0.baseOffset <= point.segmentBaseOffset } ?? 0
    firstWalked = max(0, index, firstHoldingRecords ?? 0)
  }

  /// Removes empty segments that do not count (R9), so that their names bound no offsets. The first
  /// one stays, because its name is the log's start, and so does one whose indexes prove that
  /// something was in it.
  private mutating func setEmptyAside() throws(DiskError) {
    guard places.count > 1 else { return }
    for index in (firstWalked..<places.count - 1).reversed() {
      let place = places[index]
      // An empty replacement is what a cleaner left of something.
      guard index > 0 || place.entry.isReplacement else { continue }
      guard emptyRow(isLast: false, place.baseOffset) == .r9,
        try directory.disk.status(place.logPath)?.size == 0
      else { continue }
      if try heldRecords(place) { continue }
      emptied.insert(place, at: 0)
      places.remove(at: index)
    }
    linkPlaces()
    firstWalked = max(0, min(firstWalked, places.count - 1))
  }

  /// Whether the indexes of an empty segment prove that something was in it. The index of aborted
  /// transactions cannot be rebuilt, and is the longest-lasting evidence.
  private func heldRecords(_ place: SegmentPlace) throws(DiskError) -> Bool {
    guard !place.entry.isReplacement else { return false }
    if place.entry.hasTransactionIndex,
      try directory.disk.status(place.path(.txnindex))?.size ?? 0 > 0
    {
      return true
    }
    let start = EndEvidence.End(offset: place.baseOffset, position: 0, size: 0)
    guard isHoleTold(before: place.nextBaseOffset) else { return false }
    return try EndEvidence.inIndexes(of: place.baseOffset, behind: start, in: directory) != nil
  }
}
