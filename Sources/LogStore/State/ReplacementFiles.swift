internal import DiskIO
internal import Logging

/// The files of a segment that is to replace others, complete and durable under their `.cleaned`
/// names; see `ReplacementWriter`.
struct ReplacementFiles: Sendable {
  /// Offset in the files' names.
  var baseOffset: Int64
  /// Where its batches end.
  var end: SegmentEnd
  /// The offset after its last batch.
  var nextOffset: Int64
  /// The greatest record time; nil: none.
  var largest: TimestampOffset?
  /// The files that exist.
  var kinds: [SegmentName.Kind]

  private func path(
    _ kind: SegmentName.Kind, _ stage: SegmentName.Stage?, _ directory: LogDirectory
  ) -> String {
    directory.path(SegmentName(baseOffset, kind, stage: stage).fileName)
  }

  /// Opens the `.cleaned` files for reading.
  func open(_ segment: Segment, in directory: LogDirectory) throws(DiskError) -> SegmentFiles {
    let indexes = SegmentFiles.Indexes(
      of: segment,
      try IndexFile.openSealed(
        in: directory, path: path(.index, .cleaned, directory), entryBytes: OffsetIndex.entryBytes),
      try IndexFile.openSealed(
        in: directory, path: path(.timeindex, .cleaned, directory),
        entryBytes: TimeIndex.entryBytes))
    let log = try directory.disk.open(path(.log, .cleaned, directory), .read)
    return SegmentFiles(of: segment, log: log, indexes: indexes)
  }

  /// Gives all files their next names, the `.log` last: only with it do the others count.
  func rename(
    from old: SegmentName.Stage?, to new: SegmentName.Stage?, in directory: LogDirectory
  ) throws(DiskError) {
    for kind in kinds.filter({ $0 != .log }) + [.log] {
      try directory.disk.rename(path(kind, old, directory), to: path(kind, new, directory))
    }
  }

  /// Removes the `.cleaned` files; if that fails, the next opening does.
  func removeOrLog(_ log: LogEnvironment) {
    for kind in kinds {
      let path = path(kind, .cleaned, log.directory)
      do throws(DiskError) {
        try KeptBytes.remove(path, log.disk)
      } catch {
        log.context.rateLimitedLog.log(
          .warning, cause: "unused files of \(log.topicPartition)",
          "a file that was to replace others was not removed",
          metadata: ["path": "\(path)", "error": "\(error)"])
      }
    }
  }
}
