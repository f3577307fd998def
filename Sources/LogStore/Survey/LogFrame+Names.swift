internal import DiskIO

/// Which of a directory's names make up the log, and what to do about the others.
extension LogFrame {
  mutating func judgeNames(_ strays: [StraySegments.Stray]) {
    for name in layout.unknown where !isKnownNoFile(name) {
      note(name, "is not a file of Kafka's or mkstore's; it was left alone")
    }
    for name in layout.temporary { detail(name, "left over from a replaced file") }
    if layout.hasKeptBytes { detail(KeptBytes.directoryName, "bytes that recovery kept aside") }
    let lost = noteLostSegments()
    setDamagedSwapsAside()
    let copies = keepSoleCopies()
    removeObsolete(keeping: lost, copies)
    for rename in layout.renames {
      names.actions.append(.rename(from: rename.from, to: rename.to))
      let isLog = SegmentName(rename.to)?.kind == .log
      detail(
        rename.from,
        "is about to take the place of a segment; "
          + (isLog ? "verified as that" : "rebuilt where it is wrong"))
    }
    for stray in strays {
      let size = byteCount(stray.path)
      names.actions.append(
        .setAside(SegmentName(stray.baseOffset, .log), byteCount: size, reason: stray.reason))
      names.sideFileDamage.append(
        SideFileDamage(
          file: stray.path, reason: "is not a segment of the log: it \(stray.reason)",
          remedy: nil))
    }
  }

  private func isKnownNoFile(_ name: String) -> Bool {
    names.sideFileDamage.contains { $0.file == directory.path(name) }
      || names.broken.contains { $0.path == directory.path(name) }
  }

  private mutating func note(_ name: String, _ text: String) {
    names.notes.append(VerificationNote(file: directory.path(name), text: text))
  }

  private mutating func detail(_ name: String, _ text: String) {
    names.details.append(VerificationNote(file: directory.path(name), text: text))
  }

  /// Accepted losses: `verify` reports them, and they are no damage.
  mutating func readAccepted() {
    do throws(CheckpointError) {
      for loss in try AcceptedLossesFile.read(directory) {
        detail(AcceptedLossesFile.name, "accepted: \(loss)")
      }
    } catch {
      let path = directory.path(AcceptedLossesFile.name)
      if case .disk(let error) = error {
        names.unreadable.append(error)
      } else {
        names.sideFileDamage.append(
          SideFileDamage(file: path, reason: "\(error)", remedy: SideFileRemedy.accepted))
      }
    }
  }

  /// Size of a file for a report; 0 if it is missing.
  private func byteCount(_ path: String) -> Int {
    do throws(DiskError) {
      return try directory.disk.status(path)?.size ?? 0
    } catch {
      return 0
    }
  }

  /// Records segments whose files were removed: their offsets are not assigned again.
  ///
  /// - Returns: Their base offsets.
  private mutating func noteLostSegments() -> Set<Int64> {
    var lost: Set<Int64> = []
    for base in layout.orphans where isLossTold(at: base) {
      let next = places.first { $0.baseOffset > base }?.baseOffset
      // At the end of a copy it only means that the segment was not copied any more.
      if isCopy, next == nil { continue }
      let previous = places.last { $0.baseOffset < base }
      let found = LostSegment.range(base, in: directory, after: previous, before: next)
      guard let range = found, let offsets = range.offsets else { continue }
      lost.insert(base)
      names.lost.append(offsets)
      if let range = loss(range) { names.damage.append(range) }
    }
    return lost
  }

  /// Whether an index without its `.log` may be evidence of a loss. Not in a log of this engine
  /// without gaps, where more is known, and not in what its last session was writing: a power cut
  /// removes the names of new files one by one.
  private func isLossTold(at base: Int64) -> Bool {
    !rules.isGapless && (!isOwnUnclean || base < point.offset)
  }

  /// If the segment that it was to replace is removed, a damaged replacement looks like a finished
  /// one.
  private mutating func setDamagedSwapsAside() {
    for base in layout.damagedSwaps {
      let name = SegmentName(base, .log, stage: .swap)
      names.actions.append(
        .setAside(
          name, byteCount: byteCount(directory.path(name.fileName)),
          reason: SegmentLayout.damagedSwapReason))
      names.sideFileDamage.append(
        SideFileDamage(
          file: directory.path(name.fileName), reason: SegmentLayout.damagedSwapReason,
          remedy: nil))
    }
  }

  /// - Returns: The `.log` names of unfinished or deleted files that are the last copy of records.
  private mutating func keepSoleCopies() -> [SegmentName] {
    let copies = SoleCopy.find(layout, in: directory)
    for copy in copies {
      let damage = copy.damage.compactMap { loss($0) }
      names.damage += damage
      let path = directory.path(copy.name.fileName)
      names.actions.append(
        .setAside(copy.name, byteCount: byteCount(path), reason: SoleCopy.reason))
    }
    return copies.map(\.name)
  }

  private mutating func removeObsolete(keeping lost: Set<Int64>, _ copies: [SegmentName]) {
    for file in layout.obsolete {
      let name = SegmentName(file)
      let isAside = copies.contains {
        $0.baseOffset == name?.baseOffset && $0.stage == name?.stage
      }
      if isAside { continue }
      // Evidence of lost records is not removed.
      if let name, name.stage == nil, lost.contains(name.baseOffset) { continue }
      if let name, let only = DeletedCopy.offsets(name, layout, directory, startHint) {
        note(
          file,
          "waits to be deleted, but is the only copy of the offsets \(only.lowerBound) to "
            + "\(only.upperBound - 1); kept: rename it to its .log to have them back")
        continue
      }
      let meaning = Self.meaning(of: name)
      detail(file, "\(meaning); the next opening for writing removes it")
      names.actions.append(.remove(file, reason: meaning))
    }
  }

  private static func meaning(of name: SegmentName?) -> String {
    switch name?.stage {
    case .deleted: "waits to be deleted"
    case .cleaned, .swap: "unfinished work of a cleaner"
    case nil: name?.kind == .log ? "was replaced" : "belongs to a segment whose .log is gone"
    }
  }
}
