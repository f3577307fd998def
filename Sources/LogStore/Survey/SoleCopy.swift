internal import DiskIO
internal import RecordFormat

/// A leftover .cleaned or .swap file that is the only copy of its records.
///
/// A cleaner removes no segment before its replacement is finished, so an unfinished file is
/// ignored and removed. But if the segments it was made from were removed otherwise, it is the last
/// copy. It is not served, because it may hold only part of the log, and it is not removed either.
struct SoleCopy: Sendable {
  /// Of the `.log`.
  var name: SegmentName
  /// The records that no segment holds.
  var damage: [DamagedRange]

  /// Why it is kept.
  static let reason =
    "it is an unfinished file of a cleaner, and the only copy of its records"

  /// The sole copies among the files that a log's next opening removes.
  static func find(_ layout: SegmentLayout, in directory: LogDirectory) -> [SoleCopy] {
    layout.obsolete.compactMap { file in
      guard let name = SegmentName(file), name.kind == .log,
        name.stage == .cleaned || name.stage == .swap
      else { return nil }
      let found = Self.damage(name, layout, directory)
      return found.isEmpty ? nil : SoleCopy(name: name, damage: found)
    }
  }

  private static func damage(
    _ name: SegmentName, _ layout: SegmentLayout, _ directory: LogDirectory
  ) -> [DamagedRange] {
    let path = directory.path(name.fileName)
    do throws(DiskError) {
      var end = name.baseOffset
      var batches: [Range<Int64>] = []
      try walk(name.fileName, name.baseOffset, directory) { batch in
        end = max(end, batch?.upperBound ?? end)
        if let batch { batches.append(batch) }
      }
      let standing = try runs(of: layout, from: name.baseOffset, to: end, directory)
      return missing(batches, in: standing).map {
        DamagedRange(
          file: path, bytes: 0..<0, offsets: $0,
          reason: "only this unfinished file of a cleaner holds these, and it is not read")
      }
    } catch {
      // Files that cannot be examined are not removed.
      return [
        DamagedRange(
          file: path, bytes: 0..<0, offsets: name.baseOffset..<name.baseOffset, reason: "\(error)")
      ]
    }
  }

  /// Runs of offsets that valid batches of the log's segments hold.
  private static func runs(
    of layout: SegmentLayout, from start: Int64, to end: Int64, _ directory: LogDirectory
  ) throws(DiskError) -> [Range<Int64>] {
    var runs: [Range<Int64>] = []
    for (index, entry) in layout.entries.enumerated() where entry.baseOffset < end {
      let isLast = index + 1 == layout.entries.count
      if !isLast, layout.entries[index + 1].baseOffset <= start { continue }
      // Records that the cleaner removed before the first batch are not missing.
      var run: Range<Int64>? = entry.baseOffset..<entry.baseOffset
      try walk(entry.logName, entry.baseOffset, directory) { batch in
        if let batch {
          run = (run?.lowerBound ?? batch.lowerBound)..<batch.upperBound
        } else {
          if let run { runs.append(run) }
          run = nil
        }
      }
      if let run { runs.append(run) }
    }
    return runs
  }

  /// Calls `body` for the offsets of each valid batch of a file, and with nil for damage.
  private static func walk(
    _ name: String, _ baseOffset: Int64, _ directory: LogDirectory, _ body: (Range<Int64>?) -> Void
  ) throws(DiskError) {
    let file = try directory.disk.open(directory.path(name), .read)
    var scanner = SegmentScanner(
      file, endPosition: try file.size(), expectedOffset: baseOffset,
      offsetLimit: SegmentScanner.offsetLimit(after: baseOffset))
    while true {
      let expected = scanner.expectedOffset
      switch try scanner.next() {
      case .batch(let header, _):
        // Entries of the old formats may state the last offset of several.
        let start = header.isLegacy ? expected : header.baseOffset
        body(min(start, header.nextOffset)..<header.nextOffset)
      case .invalid:
        body(nil)
        _ = try scanner.resume()
      case .end: return
      }
    }
  }

  /// The batches that are in no run; consecutive ones as one range, up to the first run that begins
  /// within it.
  private static func missing(
    _ batches: [Range<Int64>], in runs: [Range<Int64>]
  ) -> [Range<Int64>] {
    var found: [Range<Int64>] = []
    var goesOn = false
    for batch in batches {
      let isStored = runs.contains {
        $0.lowerBound <= batch.lowerBound && $0.upperBound >= batch.upperBound
      }
      if !isStored, goesOn, let last = found.popLast() {
        found.append(last.lowerBound..<max(last.upperBound, batch.upperBound))
      } else if !isStored {
        found.append(batch)
      }
      goesOn = !isStored
    }
    return found.map { range in
      let next = runs.map(\.lowerBound).filter { $0 > range.lowerBound }.min()
      return range.lowerBound..<min(range.upperBound, next ?? Int64.max)
    }
  }
}
