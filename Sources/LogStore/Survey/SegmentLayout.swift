internal import DiskIO

/// Which files of a partition's directory make up the log, as Kafka's loader decides it.
///
/// Replacing segments (compaction) uses `.cleaned` and `.swap` names. A crash at any point is
/// resolved here: unfinished `.cleaned` files are ignored, complete `.swap` files replace the plain
/// segments they cover. Pure: a read-only reader sees the log by the same plan that a writer
/// executes.
package struct SegmentLayout: Sendable, Equatable {
  /// One segment: its base offset and the name its `.log` has now.
  package struct Entry: Sendable, Equatable {
    package var baseOffset: Int64
    package var logName: String
    var hasOffsetIndex: Bool
    var hasTimeIndex: Bool
    var hasTransactionIndex = false
    /// Whether the `.log` still has the name of a replacement.
    var isReplacement: Bool { logName.hasSuffix(SegmentName.Stage.swap.rawValue) }
  }

  /// The segments by rising base offset.
  package var entries: [Entry] = []
  /// Files that are ignored and that Kafka's rules remove: unfinished files of a cleaner, files to
  /// be deleted, indexes without their `.log`.
  var obsolete: [String] = []
  /// `.swap` files that take their plain names, as (from, to).
  var renames: [Rename] = []
  /// Base offsets of producer snapshots.
  package var snapshots: [Int64] = []
  /// Base offsets of indexes whose `.log` is missing under every name.
  var orphans: [Int64] = []
  /// Base offsets of damaged `.swap` logs whose segment to be replaced still exists.
  var damagedSwaps: [Int64] = []
  /// Names that are neither Kafka's nor ours; reported, never touched.
  package var unknown: [String] = []
  /// Unfinished small files; the next write of each replaces it.
  package var temporary: [String] = []
  /// Whether there are bytes that recovery kept.
  var hasKeptBytes = false
  /// Whether there is a history of what openings did.
  var hasHistory = false

  /// A file that is renamed.
  struct Rename: Sendable, Equatable {
    var from: String
    var to: String
  }

  /// Files beside the segments that belong to a partition.
  static let knownNames: Set<String> = [
    LeaderEpochCheckpoint.name, PartitionMetadata.name, DurableMark.fileName,
    RecoveryHistory.fileName, KeptBytes.directoryName, TopicConfigFile.name,
    DeletedLog.markerName, ProducerFile.name, KnownLosses.fileName,
    AcceptedLossesFile.name,
    LogStartFile.name, Truncation.pendingName, Truncation.doneName,
    EpochsFile.name, KeptEntries.fileName,
  ]

  /// An empty directory.
  package init() {}

  /// The content of a replacement.
  struct Swap: Sendable, Equatable {
    /// Offset after its last batch before the first invalid one.
    var end: Int64
    /// Whether it is valid up to its end.
    var isWhole: Bool
  }

  /// Classifies a directory's names.
  ///
  /// - Parameters:
  ///   - names: The names in the directory.
  ///   - swap: The content of a `.swap` log, which decides which plain segments it replaces.
  ///   - isEmpty: Whether a plain log is empty.
  init(
    _ names: [DirectoryEntry], swap: (_ logName: String) throws(DiskError) -> Swap,
    isEmpty: (_ logName: String) throws(DiskError) -> Bool
  ) throws(DiskError) {
    var files: [SegmentName: String] = [:]
    for entry in names where !Self.knownNames.contains(entry.name) {
      guard entry.kind == .file, let name = SegmentName(entry.name) else {
        if entry.name.hasSuffix(".tmp") {
          temporary.append(entry.name)
        } else {
          unknown.append(entry.name)
        }
        continue
      }
      files[name] = entry.name
    }
    unknown.sort()
    hasKeptBytes = names.contains { $0.name == KeptBytes.directoryName }
    hasHistory = names.contains { $0.name == RecoveryHistory.fileName }
    dropUnfinished(&files)
    try resolveSwaps(&files, swap, isEmpty)
    // An unfinished file of a cleaner says nothing about the segment that it is made from.
    let named = Set(
      names.compactMap { SegmentName($0.name) }
        .filter { $0.kind == .log && $0.stage != .cleaned }.map(\.baseOffset))
    let plain = files.keys.filter { $0.stage == nil || $0.stage == .swap }
    let logs = Set(plain.filter { $0.kind == .log }.map(\.baseOffset))
    for name in plain {
      switch name.kind {
      case .snapshot: snapshots.append(name.baseOffset)
      case .index, .timeindex, .txnindex:
        if !logs.contains(name.baseOffset), let file = files[name] { obsolete.append(file) }
      case .log: break
      }
    }
    orphans = Set(
      plain.filter { $0.kind == .index || $0.kind == .timeindex }
        .filter { $0.stage == nil && !named.contains($0.baseOffset) }.map(\.baseOffset)
    ).sorted()
    snapshots.sort()
    obsolete.sort()
    entries = logs.sorted().map { base in
      func has(_ kind: SegmentName.Kind) -> Bool {
        files[SegmentName(base, kind)] != nil || files[SegmentName(base, kind, stage: .swap)] != nil
      }
      let swap = files[SegmentName(base, .log, stage: .swap)]
      return Entry(
        baseOffset: base, logName: swap ?? SegmentName(base, .log).fileName,
        hasOffsetIndex: has(.index), hasTimeIndex: has(.timeindex),
        hasTransactionIndex: has(.txnindex))
    }
  }

  /// Step 1 of Kafka's loading: unfinished files are ignored.
  private mutating func dropUnfinished(_ files: inout [SegmentName: String]) {
    let cleanedMin = files.keys.filter { $0.stage == .cleaned }.map(\.baseOffset).min()
    for name in Array(files.keys) {
      switch name.stage {
      case .cleaned, .deleted: drop(name, &files)
      case .swap:
        if let cleanedMin, name.baseOffset >= cleanedMin { drop(name, &files) }
      case nil: break
      }
    }
  }

  /// Step 2: finished replacements are completed.
  ///
  /// Kafka syncs a `.swap` file before it gives it the name, so a damaged one is corrupted. It
  /// replaces a missing segment and no other: the segments it was made from are better if they
  /// still exist.
  private mutating func resolveSwaps(
    _ files: inout [SegmentName: String], _ look: (String) throws(DiskError) -> Swap,
    _ isEmpty: (String) throws(DiskError) -> Bool
  ) throws(DiskError) {
    let swaps = files.keys.filter { $0.stage == .swap }
    let logs = swaps.filter { $0.kind == .log }.sorted { $0.baseOffset < $1.baseOffset }
    var replaced: Range<Int64>?
    var damaged: [Int64] = []
    for name in logs {
      let found = try look(name.fileName)
      guard found.isWhole else {
        damaged.append(name.baseOffset)
        continue
      }
      let low = replaced?.lowerBound ?? name.baseOffset
      replaced = low..<max(replaced?.upperBound ?? low, found.end)
    }
    for name in Array(files.keys) where name.stage == nil && name.kind != .snapshot {
      if let replaced, replaced.contains(name.baseOffset) { drop(name, &files) }
    }
    for base in damaged {
      let plain = SegmentName(base, .log).fileName
      if files[SegmentName(base, .log)] != nil, try !isEmpty(plain) {
        for name in swaps where name.baseOffset == base { files[name] = nil }
        damagedSwaps.append(base)
      } else {
        for kind in [SegmentName.Kind.log, .index, .timeindex, .txnindex] {
          drop(SegmentName(base, kind), &files)
        }
      }
    }
    let bases = Set(files.keys.filter { $0.kind == .log }.map(\.baseOffset))
    for name in swaps where files[name] != nil {
      if logs.isEmpty || !bases.contains(name.baseOffset) {
        drop(name, &files)
      } else {
        let plain = SegmentName(name.baseOffset, name.kind)
        renames.append(Rename(from: name.fileName, to: plain.fileName))
      }
    }
    renames.sort { $0.from < $1.from }
  }

  private mutating func drop(_ name: SegmentName, _ files: inout [SegmentName: String]) {
    if let file = files.removeValue(forKey: name) { obsolete.append(file) }
  }
}
