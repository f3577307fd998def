internal import DiskIO

/// Makes indexes durable. A sync of an index that fails is not one of the log (I8): the index is
/// made from the log, as a new file. For the holder of the flush role.
package struct IndexSettling: Sendable {
  private let writer: Writer
  private let access: SegmentAccess

  package init(_ writer: Writer, _ access: SegmentAccess) {
    self.writer = writer
    self.access = access
  }

  /// Trims the indexes of a segment that was sealed, and makes them durable.
  func settle(_ sealed: ActiveSegment) {
    let segment = sealed.segment
    precondition(segment.isSealed, "I3: indexes of segment \(segment.baseOffset) are trimmed")
    do throws(DiskError) {
      // While no verb renames them: the names of a retired segment may be another one's.
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

  /// Adds the final entry to the active segment's indexes, trims them and makes them durable, as
  /// the log is closed.
  ///
  /// - Returns: The segment as it is then.
  /// - Throws: Where the disk is full or descriptors are used up, which passes.
  func close(_ active: ActiveSegment) throws(DiskError) -> ActiveSegment {
    var active = active
    var fault: DiskError?
    // The second time with indexes that were made from the log. What fails then as well is told,
    // and found out again by whoever looks into it.
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

  /// Makes the entries of the active segment durable before a mark counts them. Where that fails
  /// the mark is doubted, as any that counts what the index does not have.
  ///
  /// - Returns: The segment as it is then.
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

  /// Gives the files the entries of the active segment before a mark counts them, for the next
  /// process to find.
  func writeOut(_ active: ActiveSegment) {
    do throws(DiskError) {
      try active.offsetIndex.file.writeOut()
      try active.timeIndex.file.writeOut()
    } catch {
      writer.mendIndexes(of: active, because: error)
    }
  }
}
