internal import DiskIO

/// Makes indexes durable. A failed sync of an index does not fail the log (I8): the index is
/// rebuilt from the log as a new file. For the holder of the flush role.
struct IndexSettling: Sendable {
  private let writer: Writer
  private let access: SegmentAccess

  init(_ writer: Writer, _ access: SegmentAccess) {
    self.writer = writer
    self.access = access
  }

  /// Trims the indexes of a segment that was sealed, and makes them durable.
  func settle(_ sealed: ActiveSegment) {
    let segment = sealed.segment
    precondition(segment.isSealed, "I3: indexes of segment \(segment.baseOffset) are trimmed")
    do throws(DiskError) {
      // Not while a verb renames them: the names of a retired segment may belong to another one.
      try access.store.changeFiles(of: segment) { () throws(DiskError) in
        if let fault = sealed.indexFault { throw fault }
        guard sealed.offsetIndex.file.isStored, sealed.timeIndex.file.isStored else {
          throw DiskError.notFound(.sync, sealed.offsetIndex.file.path)
        }
        try sealed.offsetIndex.file.trimAndSync()
        try sealed.timeIndex.file.trimAndSync()
      }
    } catch {
      remake(sealed, because: error)
    }
  }

  private func remake(_ sealed: ActiveSegment, because fault: DiskError) {
    let files =
      sealed.segment.openFiles
      ?? SegmentFiles(
        of: sealed.segment, log: sealed.log,
        indexes: SegmentFiles.Indexes(offset: sealed.offsetIndex, time: sealed.timeIndex))
    do throws(DiskError) {
      _ = try SegmentView(access, sealed.segment, files).rebuildIndexes(because: fault)
    } catch {
      access.log.noteUnsyncedIndex(error)
    }
  }

  /// Adds the final entry to the active segment's indexes, trims them and makes them durable; for
  /// closing the log.
  ///
  /// - Returns: The segment afterwards.
  /// - Throws: If the disk is full or no descriptors are left; the call can be retried.
  func close(_ active: ActiveSegment) throws(DiskError) -> ActiveSegment {
    var active = active
    var fault: DiskError?
    // The second pass has indexes rebuilt from the log. If that fails too, it is reported, and
    // later readers of the index find out again.
    for _ in 0..<2 {
      active = try writer.sealIndexes(because: fault) ?? active
      do throws(DiskError) {
        if let fault = active.indexFault { throw fault }
        try active.offsetIndex.file.trimAndSync()
        try active.timeIndex.file.trimAndSync()
        return active
      } catch {
        if error.isShortage { throw error }
        fault = error
      }
    }
    if let fault { access.log.noteUnsyncedIndex(fault) }
    return active
  }

  /// Makes the entries of the active segment durable before a mark counts them. If that fails, the
  /// mark counts entries that the index lacks, and is checked as any such mark.
  ///
  /// - Returns: The segment afterwards.
  func sync(_ active: ActiveSegment) -> ActiveSegment {
    do throws(DiskError) {
      try active.offsetIndex.file.sync()
      try active.timeIndex.file.sync()
      return active
    } catch {
      writer.mendIndexes(of: active, because: error)
      return writer.active ?? active
    }
  }

  /// Writes the entries of the active segment to the files before a mark counts them, so that the
  /// next process finds them.
  func writeOut(_ active: ActiveSegment) {
    do throws(DiskError) {
      try active.offsetIndex.file.writeOut()
      try active.timeIndex.file.writeOut()
    } catch {
      writer.mendIndexes(of: active, because: error)
    }
  }
}
