internal import DiskIO

/// Which of a directory's names make up the log, and what is done about the others.
extension LogLoader {
  mutating func readLayout(isForeign: Bool) throws(DiskError) -> SegmentLayout {
    let directory = directory
    let layout = try SegmentLayout(try names(), in: directory)
    let lost = isForeign ? noteLostSegments(layout) : []
    let copies = SoleCopy.find(layout, in: directory)
    report.damage += copies.flatMap(\.damage)
    guard access == .write else {
      for base in layout.damagedSwaps {
        let name = SegmentName(base, .log, stage: .swap).fileName
        report.notes.append("\(name) is passed over: \(SegmentLayout.damagedSwapReason)")
      }
      return layout
    }
    try setDamagedSwapsAside(layout)
    for copy in copies {
      try setAside(copy.name, reason: "it is unfinished work of a cleaner, and the last copy")
    }
    for name in layout.obsolete {
      let isAside = copies.contains {
        $0.name.baseOffset == SegmentName(name)?.baseOffset
          && $0.name.stage == SegmentName(name)?.stage
      }
      if isAside { continue }
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
      let previous = layout.entries.last { $0.baseOffset < base }?.baseOffset
      let found = LostSegment.range(base, in: directory, after: previous, before: next)
      guard let range = found else { continue }
      report.damage.append(range)
      lostStart = min(lostStart ?? base, base)
      lostEnd = max(lostEnd, range.offsets?.upperBound ?? 0)
      lost.insert(base)
    }
    return lost
  }

  /// Once the segment is gone that it was to replace, nobody could tell a damaged replacement from
  /// one that was finished.
  private mutating func setDamagedSwapsAside(_ layout: SegmentLayout) throws(DiskError) {
    for base in layout.damagedSwaps {
      try setAside(
        SegmentName(base, .log, stage: .swap), reason: SegmentLayout.damagedSwapReason)
    }
  }

  private mutating func setAside(_ name: SegmentName, reason: String) throws(DiskError) {
    let path = directory.path(name.fileName)
    let size = try disk.status(path)?.size ?? 0
    let kept = try KeptBytes.move(name.baseOffset, stage: name.stage, in: directory)
    report.cuts.append(
      .init(file: path, position: 0, bytes: size, keptAs: kept, reason: reason))
    try disk.syncDirectory(directory.path)
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
      try setAside(SegmentName(stray.baseOffset, .log), reason: stray.reason)
    }
  }
}
