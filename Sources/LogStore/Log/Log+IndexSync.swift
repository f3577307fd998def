internal import DiskIO

/// Making indexes durable. A sync of an index that fails is not one of the log (I8): the index is
/// made from the log, as a new file.
extension Log {
  /// Trims the indexes of a segment that was sealed, and makes them durable. Holder of the flush
  /// role.
  func settleIndexes(of sealed: ActiveSegment) {
    do throws(DiskError) {
      if let fault = sealed.indexFault { throw fault }
      guard sealed.offsetIndex.file.isStored, sealed.timeIndex.file.isStored else {
        throw .notFound(.sync, sealed.offsetIndex.file.path)
      }
      try sealed.offsetIndex.file.trimAndSync()
      try sealed.timeIndex.file.trimAndSync()
    } catch {
      remakeOrLog(sealed, because: error)
    }
  }

  /// Adds the final entry to the active segment's indexes, trims them and makes them durable, as
  /// the log is closed.
  ///
  /// - Returns: The segment as it is then.
  /// - Throws: Where the disk is full or descriptors are used up, which passes.
  func settleIndexes(ofActive active: ActiveSegment) throws(DiskError) -> ActiveSegment {
    guard let writer else { return active }
    var active = active
    var fault: DiskError?
    // The second time with indexes that were made from the log. What fails then as well is told,
    // and found out again by whoever looks into it.
    for _ in 0..<2 {
      active = try writer.withLock { (state) throws(DiskError) -> ActiveSegment in
        if let fault { state.active?.indexFault = fault }
        mendActiveIndexes(&state)
        try reserveFinalEntry(&state)
        state.active?.noteFinalTime()
        return state.active ?? active
      }
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
    if let fault { noteUnsynced(fault) }
    return active
  }

  /// Makes the entries of the active segment durable before a mark counts them. Where that fails
  /// the mark is doubted, as any that counts what the index does not have.
  ///
  /// - Returns: The segment as it is then.
  func syncIndexes(of active: ActiveSegment) -> ActiveSegment {
    do throws(DiskError) {
      try active.offsetIndex.file.sync()
      try active.timeIndex.file.sync()
      return active
    } catch {
      mend(active, error)
      return writer?.withLock { $0.active } ?? active
    }
  }

  /// Gives the files the entries of the active segment before a mark counts them, for the next
  /// process to find.
  func writeOutIndexes(of active: ActiveSegment) {
    do throws(DiskError) {
      try active.offsetIndex.file.writeOut()
      try active.timeIndex.file.writeOut()
    } catch {
      mend(active, error)
    }
  }

  private func mend(_ active: ActiveSegment, _ fault: DiskError) {
    writer?.withLock { state in
      guard state.active?.segment === active.segment,
        state.active?.offsetIndex === active.offsetIndex
      else { return }
      state.active?.indexFault = fault
      mendActiveIndexes(&state)
    }
  }

  private func remakeOrLog(_ sealed: ActiveSegment, because fault: DiskError) {
    let files =
      sealed.segment.openFiles
      ?? SegmentFiles(
        log: sealed.log,
        indexes: SegmentFiles.Indexes(offset: sealed.offsetIndex, time: sealed.timeIndex))
    do throws(DiskError) {
      _ = try rebuildIndexes(of: sealed.segment, files, because: fault)
    } catch {
      noteUnsynced(error)
    }
  }
}
