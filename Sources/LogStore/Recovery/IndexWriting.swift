internal import DiskIO

/// Makes the two indexes of one segment match its batches: replaces everything after the kept
/// entries.
///
/// On a full disk the log opens anyway, with the existing entries: an index only saves time (I9).
struct IndexWriting {
  private let work: RecoveryAction.IndexWork
  private let directory: LogDirectory
  /// The files to be written; nil: both.
  private let only: Set<SegmentName.Kind>?
  private let isCleanStop: Bool
  /// Whether a file was made.
  private(set) var madeNames = false
  /// Files that were removed to be rebuilt.
  private(set) var rebuilt: [String] = []
  private(set) var notes: [String] = []
  /// Why the indexes must be rebuilt from the log before the segment is appended to.
  private(set) var fault: DiskError?

  private var disk: any Disk { directory.disk }

  init(
    _ work: RecoveryAction.IndexWork, in directory: LogDirectory,
    only: Set<SegmentName.Kind>?, isCleanStop: Bool
  ) {
    self.work = work
    self.directory = directory
    self.only = only
    self.isCleanStop = isCleanStop
  }

  /// A file that cannot be read or written is removed, and rebuilt from the log when it is needed.
  ///
  /// - Returns: Entries in the files that may be kept.
  mutating func run() throws(DiskError) -> (offset: Int, time: Int) {
    for (kind, _) in work.faults { discard(kind) }
    do throws(DiskError) {
      return try write()
    } catch {
      if error.isOutOfDescriptors { throw error }
      notes.append("\(error); the index is made from the log when it is needed")
      for kind in [SegmentName.Kind.index, .timeindex] { discard(kind) }
      fault = error
      return (0, 0)
    }
  }

  /// Removes an index file, or an empty directory that has its name. If it cannot be removed, that
  /// is reported, and the index is kept in memory.
  private mutating func discard(_ kind: SegmentName.Kind) {
    let path = directory.path(SegmentName(work.baseOffset, kind).fileName)
    rebuilt.append(path)
    do throws(DiskError) {
      guard let found = try disk.status(path) else { return }
      if found.kind == .directory { try disk.removeDirectory(path) } else { try disk.remove(path) }
      madeNames = true
    } catch {
      notes.append("\(error); until it is removed, the index is kept in memory")
    }
  }

  private mutating func write() throws(DiskError) -> (offset: Int, time: Int) {
    let unsealed = work.times.source.timeEntries
    var final = work.times.source
    final.seal()
    let offsetBytes = try replace(
      .index, work.offsets.kept * OffsetIndex.entryBytes, work.offsets.source.offsetEntries)
    let keptTimeBytes = work.times.kept * TimeIndex.entryBytes
    let timeBytes = try replace(
      .timeindex, keptTimeBytes, work.goesOn ? unsealed : final.timeEntries,
      sealed: final.timeEntries)
    return (
      offsetBytes / OffsetIndex.entryBytes,
      min(timeBytes, keptTimeBytes + unsealed.count) / TimeIndex.entryBytes
    )
  }

  private mutating func replace(
    _ kind: SegmentName.Kind, _ kept: Int, _ fresh: [UInt8], sealed: [UInt8]? = nil
  ) throws(DiskError) -> Int {
    if let only, !only.contains(kind) { return 0 }
    let path = directory.path(SegmentName(work.baseOffset, kind).fileName)
    do throws(DiskError) {
      let found = try openOrClear(path)
      let file = if let found { found } else { try disk.open(path, .create) }
      madeNames = madeNames || found == nil
      if work.goesOn, let sealed, try holds(file, kept, sealed) { return kept + fresh.count }
      if fresh.isEmpty, try isKeptAsItIs(file, kept) { return kept }
      try file.truncate(to: kept)
      do throws(DiskError) {
        if !fresh.isEmpty { try file.write(fresh.span, at: kept) }
      } catch  where error.isDiskFull {
        try file.truncate(to: kept)
        notes.append("the disk is full: \(path) ends early")
        return kept
      }
      // The segment is not appended to: its indexes are final.
      if !work.goesOn { try file.sync() }
      return kept + fresh.count
    } catch  where error.isDiskFull {
      notes.append("the disk is full: \(path) could not be made")
      return 0
    }
  }

  /// Opens an existing index; an empty directory that has its name is removed.
  private func openOrClear(_ path: String) throws(DiskError) -> (any DiskFile)? {
    do throws(DiskError) {
      return try disk.openIfPresent(path, .readWrite)
    } catch {
      guard try disk.status(path)?.kind == .directory else { throw error }
      try disk.removeDirectory(path)
      return nil
    }
  }

  /// Whether a time index ends as a close leaves it: with the entries after the kept ones and the
  /// final one. The next append cuts that off; without an append it would not be written again.
  private func holds(_ file: any DiskFile, _ kept: Int, _ sealed: [UInt8]) throws(DiskError) -> Bool
  {
    guard isCleanStop, try file.size() == kept + sealed.count else { return false }
    var bytes = [UInt8](repeating: 0, count: sealed.count)
    var target = bytes.mutableSpan
    return try file.read(into: &target, at: kept) == sealed.count && bytes == sealed
  }

  /// Whether an index needs no cut: it ends with the kept bytes, or has only allocated zeros after
  /// them. Freeing these, for thousands of logs, would take most of the time of a start after a
  /// kill; the log's first append and its close cut them.
  private func isKeptAsItIs(_ file: any DiskFile, _ kept: Int) throws(DiskError) -> Bool {
    let size = try file.size()
    guard work.goesOn, size > kept, size - kept <= IndexFile.allocationBytesMin else {
      return size == kept
    }
    return try KeptBytes.isAllZeros(kept..<size, of: file)
  }
}
