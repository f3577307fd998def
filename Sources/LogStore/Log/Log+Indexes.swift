package import DiskIO

/// Looking in a segment's indexes, with every index doubted (I9).
extension Log {
  /// The segment's indexes; where one cannot be opened, both are made from the log first.
  package func indexes(of segment: Segment, _ files: SegmentFiles) throws(LogError)
    -> SegmentFiles.Indexes
  {
    do throws(DiskError) {
      return try files.indexes { () throws(DiskError) in
        let opened = SegmentFiles.Indexes(
          of: segment, try openIndex(segment, .index), try openIndex(segment, .timeindex))
        try refuseIncomplete(opened.offset, of: try files.log.size())
        return opened
      }
    } catch {
      if error.isOutOfDescriptors { throw LogError(error) }
      return try freshIndexes(of: segment, files, because: error)
    }
  }

  /// Throws where an offset index does not reach the segment's end: it was cut, or is another's. In
  /// a segment that is read at once it does not matter.
  private func refuseIncomplete(_ index: OffsetIndex, of byteCount: Int) throws(DiskError) {
    let reach =
      config.indexIntervalBytes + max(config.maxMessageBytes, SegmentSurvey.wholeWalkBytesMax)
    let count = index.count
    let last = count == 0 ? 0 : try index.entry(count - 1).position
    guard last > byteCount || byteCount - last > reach else { return }
    throw .missingEntries(index.file.path)
  }

  /// What `look` finds in the segment's indexes.
  ///
  /// Where one cannot be read (it was cut, its disk fails), both are made from the log and looked
  /// in again.
  ///
  /// - Returns: nil where `look` finds nothing: begin at the segment's first byte.
  @inline(__always)
  func look<Found>(
    in segment: Segment, _ files: SegmentFiles,
    _ look: (SegmentFiles.Indexes) throws(DiskError) -> Found?
  ) throws(LogError) -> Found? {
    let indexes = try indexes(of: segment, files)
    do throws(DiskError) {
      return try look(indexes)
    } catch {
      return try lookAgain(in: segment, files, instead: indexes, because: error, look)
    }
  }

  private func lookAgain<Found>(
    in segment: Segment, _ files: SegmentFiles, instead failed: SegmentFiles.Indexes,
    because fault: DiskError, _ look: (SegmentFiles.Indexes) throws(DiskError) -> Found?
  ) throws(LogError) -> Found? {
    if fault.isOutOfDescriptors { throw LogError(fault) }
    // Another thread may have met the fault first.
    var indexes = files.openIndexes ?? failed
    if indexes.offset === failed.offset {
      indexes = try freshIndexes(of: segment, files, because: fault)
    }
    do throws(DiskError) {
      return try look(indexes)
    } catch {
      return nil
    }
  }

  /// The segment's indexes, made from the log whatever the files say.
  ///
  /// - Parameter fault: What an index met; nil where an entry contradicted the log.
  package func freshIndexes(
    of segment: Segment, _ files: SegmentFiles, because fault: DiskError? = nil
  ) throws(LogError) -> SegmentFiles.Indexes {
    do throws(DiskError) {
      return try rebuildIndexes(of: segment, files, because: fault)
    } catch {
      throw LogError(error)
    }
  }

  func openIndex(_ segment: Segment, _ kind: SegmentName.Kind) throws(DiskError) -> IndexFile {
    let entryBytes = kind == .index ? OffsetIndex.entryBytes : TimeIndex.entryBytes
    // Another process may be changing the file: one state of it is looked at.
    return isReadOnly
      ? try IndexFile.openCopy(directory.disk, path: segment.path(kind), entryBytes: entryBytes)
      : try IndexFile.openSealed(in: directory, path: segment.path(kind), entryBytes: entryBytes)
  }
}
