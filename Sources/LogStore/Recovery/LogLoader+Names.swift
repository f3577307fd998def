internal import DiskIO

/// Which of a directory's names make up the log, and what is done about the others.
extension LogLoader {
  mutating func readLayout(isForeign: Bool) throws(DiskError) -> SegmentLayout {
    let directory = directory
    let layout = try SegmentLayout(try names(), in: directory)
    let lost = isForeign ? noteLostSegments(layout) : []
    guard access == .write else {
      for base in layout.damagedSwaps {
        let name = SegmentName(base, .log, stage: .swap).fileName
        report.notes.append("\(name) is passed over: \(SegmentLayout.damagedSwapReason)")
      }
      return layout
    }
    try setDamagedSwapsAside(layout)
    for name in layout.obsolete {
      // What tells of lost records is not removed.
      if let segment = SegmentName(name), segment.stage == nil, lost.contains(segment.baseOffset) {
        continue
      }
      try disk.remove(directory.path(name))
      report.removedFiles.append(directory.path(name))
    }
    for rename in layout.renames {
      try disk.rename(directory.path(rename.from), to: directory.path(rename.to))
      report.notes.append("completed the replacement of \(rename.to)")
    }
    if !layout.obsolete.isEmpty || !layout.renames.isEmpty {
      try disk.syncDirectory(directory.path)
    }
    return layout
  }

  /// The directory's names; a link to a file of the log counts as the file.
  private func names() throws(DiskError) -> [DirectoryEntry] {
    var entries = try disk.list(directory.path)
    for index in entries.indices where entries[index].kind == .symbolicLink {
      guard let name = SegmentName(entries[index].name) else { continue }
      let path = directory.path(entries[index].name)
      do throws(DiskError) {
        guard let kind = try disk.status(path)?.kind else { throw DiskError.notFound(.open, path) }
        entries[index].kind = kind
      } catch {
        // Whoever goes on without it would give its offsets out again.
        if access == .write, name.kind == .log, name.stage == nil { throw error }
      }
    }
    return entries
  }

  /// Segments whose files somebody took away: their offsets are not given out again.
  ///
  /// - Returns: Their base offsets.
  private mutating func noteLostSegments(_ layout: SegmentLayout) -> Set<Int64> {
    var lost: Set<Int64> = []
    for base in layout.orphans {
      let next = layout.entries.first { $0.baseOffset > base }?.baseOffset
      guard let range = LostSegment.range(base, in: directory, before: next) else { continue }
      report.damage.append(range)
      lostEnd = max(lostEnd, range.offsets?.upperBound ?? 0)
      lost.insert(base)
    }
    return lost
  }

  /// Once the segment is gone that it was to replace, nobody could tell a damaged replacement from
  /// one that was finished.
  private mutating func setDamagedSwapsAside(_ layout: SegmentLayout) throws(DiskError) {
    for base in layout.damagedSwaps {
      let path = directory.path(SegmentName(base, .log, stage: .swap).fileName)
      let size = try disk.status(path)?.size ?? 0
      let kept = try KeptBytes.move(base, stage: .swap, in: directory)
      report.cuts.append(
        .init(
          file: path, position: 0, bytes: size, keptAs: kept,
          reason: SegmentLayout.damagedSwapReason))
    }
    if !layout.damagedSwaps.isEmpty { try disk.syncDirectory(directory.path) }
  }

  /// Takes files out that have the name of a segment and are none; a writer keeps them aside.
  mutating func setStraysAside(_ layout: inout SegmentLayout) throws(DiskError) {
    let candidates = layout.entries.map {
      let plain = SegmentName($0.baseOffset, .log).fileName
      return StraySegments.Candidate(
        baseOffset: $0.baseOffset, path: directory.path(access == .read ? $0.logName : plain),
        hasOffsetIndex: $0.hasOffsetIndex)
    }
    let strays = StraySegments.find(candidates, disk)
    guard !strays.isEmpty else { return }
    for stray in strays {
      layout.entries.removeAll { $0.baseOffset == stray.baseOffset }
      guard access == .write else {
        report.notes.append("\(stray.path) is passed over: it \(stray.reason)")
        continue
      }
      let size = try disk.status(stray.path)?.size ?? 0
      let kept = try KeptBytes.move(stray.baseOffset, in: directory)
      report.cuts.append(
        .init(file: stray.path, position: 0, bytes: size, keptAs: kept, reason: stray.reason))
    }
    if access == .write { try disk.syncDirectory(directory.path) }
  }
}
