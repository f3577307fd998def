package import DiskIO

/// Which files of a partition's directory make up the log, as Kafka's loader decides it.
///
/// Replacing segments (compaction) goes through `.cleaned` and `.swap` names; a crash at any point
/// is resolved here: unfinished `.cleaned` files count for nothing, complete `.swap` files take the
/// place of the plain segments they cover. Pure: a read-only reader sees the log by the same plan
/// that a writer carries out.
package struct SegmentLayout: Sendable, Equatable {
  /// One segment: its base offset and the name its `.log` has now.
  package struct Entry: Sendable, Equatable {
    package var baseOffset: Int64
    package var logName: String
    package var hasOffsetIndex: Bool
    package var hasTimeIndex: Bool
    package var hasTransactionIndex = false
  }

  /// The segments by rising base offset.
  package var entries: [Entry] = []
  /// Files that count for nothing and that Kafka's rules remove.
  package var obsolete: [String] = []
  /// `.swap` files that take their plain names, as (from, to).
  package var renames: [Rename] = []
  /// Base offsets of producer snapshots.
  package var snapshots: [Int64] = []
  /// Base offsets of offset indexes whose `.log` is there under no name.
  package var orphans: [Int64] = []
  /// Names that are none of Kafka's or ours; reported, never touched.
  package var unknown: [String] = []

  /// A file that gets another name.
  package struct Rename: Sendable, Equatable {
    package var from: String
    package var to: String
  }

  /// Files beside the segments that belong to a partition.
  package static let knownNames: Set<String> = [
    LeaderEpochCheckpoint.name, PartitionMetadata.name, DurableMark.fileName,
    RecoveryHistory.fileName, KeptBytes.directoryName, TopicConfig.fileName,
    DeletedLog.markerName, ProducerFile.name,
  ]

  /// Sorts a directory's names.
  ///
  /// - Parameter swapEnd: The offset behind the last record of a `.swap` log, which decides which
  ///   plain segments it replaces.
  /// - Parameter isWhole: Whether a `.swap` log is valid up to its end. One that is not takes no
  ///   place of a segment that still stands: it is left alone.
  package init(
    _ names: [DirectoryEntry], swapEnd: (_ logName: String) throws(DiskError) -> Int64,
    isWhole: (_ logName: String) throws(DiskError) -> Bool = { (_) throws(DiskError) in true }
  ) throws(DiskError) {
    var files: [SegmentName: String] = [:]
    for entry in names where !Self.knownNames.contains(entry.name) {
      guard entry.kind == .file, let name = SegmentName(entry.name) else {
        // A half-written checkpoint is overwritten by the next one.
        if !entry.name.hasSuffix(".tmp") { unknown.append(entry.name) }
        continue
      }
      files[name] = entry.name
    }
    try leaveDamagedSwaps(&files, isWhole)
    unknown.sort()
    try resolveSwaps(&files, swapEnd)
    let named = Set(
      names.compactMap { SegmentName($0.name) }.filter { $0.kind == .log }
        .map(\.baseOffset))
    let plain = files.keys.filter { $0.stage == nil || $0.stage == .swap }
    let logs = Set(plain.filter { $0.kind == .log }.map(\.baseOffset))
    for name in plain {
      switch name.kind {
      case .snapshot: snapshots.append(name.baseOffset)
      case .index, .timeindex, .txnindex:
        if !logs.contains(name.baseOffset), let file = files[name] { obsolete.append(file) }
      case .log: break
      }
      if name.kind == .index, name.stage == nil, !named.contains(name.baseOffset) {
        orphans.append(name.baseOffset)
      }
    }
    orphans.sort()
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

  /// Kafka syncs a `.swap` file before it gives it the name: a damaged one is rotten, and what it
  /// was made of is better where it still stands.
  private mutating func leaveDamagedSwaps(
    _ files: inout [SegmentName: String], _ isWhole: (String) throws(DiskError) -> Bool
  ) throws(DiskError) {
    for name in Array(files.keys) where name.stage == .swap && name.kind == .log {
      guard files[SegmentName(name.baseOffset, .log)] != nil, try !isWhole(name.fileName) else {
        continue
      }
      for key in Array(files.keys) where key.stage == .swap && key.baseOffset == name.baseOffset {
        if let file = files.removeValue(forKey: key) { unknown.append(file) }
      }
    }
  }

  /// Steps 1 and 2 of Kafka's loading: unfinished work is dropped, finished work completed.
  private mutating func resolveSwaps(
    _ files: inout [SegmentName: String], _ swapEnd: (String) throws(DiskError) -> Int64
  ) throws(DiskError) {
    func drop(_ name: SegmentName) {
      if let file = files.removeValue(forKey: name) { obsolete.append(file) }
    }
    let cleanedMin = files.keys.filter { $0.stage == .cleaned }.map(\.baseOffset).min()
    for name in Array(files.keys) {
      switch name.stage {
      case .cleaned: drop(name)
      case .deleted: files[name] = nil
      case .swap:
        if let cleanedMin, name.baseOffset >= cleanedMin { drop(name) }
      case nil: break
      }
    }
    let swapLogs = files.keys.filter { $0.stage == .swap && $0.kind == .log }
    guard let low = swapLogs.map(\.baseOffset).min() else {
      for name in Array(files.keys) where name.stage == .swap { drop(name) }
      return
    }
    var high = low
    for name in swapLogs { high = max(high, try swapEnd(name.fileName)) }
    for name in Array(files.keys) where name.stage == nil && name.kind != .snapshot {
      if name.baseOffset >= low && name.baseOffset < high { drop(name) }
    }
    for name in files.keys.filter({ $0.stage == .swap }) {
      let plain = SegmentName(name.baseOffset, name.kind)
      renames.append(Rename(from: name.fileName, to: plain.fileName))
    }
    renames.sort { $0.from < $1.from }
  }
}
