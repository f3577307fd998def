internal import DiskIO

extension ActiveSegment {
  /// Makes the files of a new segment. First removes existing files of its name, from an attempt
  /// that failed half-way, as Kafka does; they hold no record, since the log ends at `baseOffset`.
  static func create(
    in directory: LogDirectory, baseOffset: Int64, config: LogConfig, nowMs: Int64
  ) throws(DiskError) -> ActiveSegment {
    let segment = Segment(
      baseOffset: baseOffset, directory: directory,
      end: SegmentEnd(relativeOffset: 0, position: 0), isSealed: false)
    // The log file last: a segment exists once its log does, and then its indexes do too.
    var fault: DiskError?
    let indexes = try orInMemory(segment, config, &fault) { () throws(DiskError) in
      try makeIndexes(of: segment, in: directory, config)
    }
    let log = try fresh(segment.path(.log), directory.disk) { (path) throws(DiskError) in
      try directory.disk.open(path, .create)
    }
    segment.setPinned(true)
    segment.keepOpen(SegmentFiles(of: segment, log: log, indexes: indexes))
    return ActiveSegment(
      segment: segment, log: log, offsetIndex: indexes.offset, timeIndex: indexes.time,
      position: 0, nextOffset: baseOffset, cursor: IndexCursor(baseOffset: baseOffset),
      createdMs: nowMs, indexFault: fault)
  }

  /// Opens the last segment of a log for appending.
  static func resume(
    _ dormant: DormantSegment, in directory: LogDirectory, config: LogConfig
  ) throws(DiskError) -> ActiveSegment {
    let segment = dormant.segment
    let published = segment.publishedEnd.position
    precondition(
      UInt32(clamping: dormant.position) == published,
      "I4: appends go on at \(dormant.position) in a segment that ends at \(published)")
    let log = try directory.disk.open(segment.path(.log), .readWrite)
    var fault: DiskError?
    let indexes = try orInMemory(segment, config, &fault) { () throws(DiskError) in
      if let fault = dormant.indexFault { throw fault }
      return try openIndexes(dormant, in: directory, config)
    }
    segment.setPinned(true)
    segment.replaceOpen(SegmentFiles(of: segment, log: log, indexes: indexes))
    return ActiveSegment(
      segment: segment, log: log, offsetIndex: indexes.offset, timeIndex: indexes.time,
      position: dormant.position, nextOffset: dormant.nextOffset, cursor: dormant.cursor,
      createdMs: dormant.createdMs, isResumed: true, indexFault: fault)
  }

  /// The indexes from `open`. If it fails for a lasting reason, empty ones in memory, with the
  /// reason in `fault`: the segment must not depend on them (I9).
  private static func orInMemory(
    _ segment: Segment, _ config: LogConfig, _ fault: inout DiskError?,
    _ open: () throws(DiskError) -> SegmentFiles.Indexes
  ) throws(DiskError) -> SegmentFiles.Indexes {
    do throws(DiskError) {
      return try open()
    } catch {
      if error.isShortage { throw error }
      fault = error
      func empty(_ kind: SegmentName.Kind, _ entryBytes: Int) -> IndexFile {
        .inMemoryActive(
          path: segment.path(kind), entryBytes: entryBytes, bytesMax: config.segmentIndexBytes,
          bytes: [])
      }
      return SegmentFiles.Indexes(
        of: segment, empty(.index, OffsetIndex.entryBytes),
        empty(.timeindex, TimeIndex.entryBytes))
    }
  }

  private static func openIndexes(
    _ dormant: DormantSegment, in directory: LogDirectory, _ config: LogConfig
  ) throws(DiskError) -> SegmentFiles.Indexes {
    func open(_ kind: SegmentName.Kind, _ entryBytes: Int, keeping: Int) throws(DiskError)
      -> IndexFile
    {
      let path = dormant.segment.path(kind)
      // Missing if the disk was full when the log was opened.
      let isMissing = try directory.disk.status(path) == nil
      if isMissing, keeping > 0 { throw .notFound(.open, path) }
      return try IndexFile.openActive(
        in: directory, path: path, entryBytes: entryBytes,
        bytesMax: config.segmentIndexBytes, keeping: keeping, create: isMissing)
    }
    return SegmentFiles.Indexes(
      of: dormant.segment,
      try open(.index, OffsetIndex.entryBytes, keeping: dormant.offsetEntries),
      try open(.timeindex, TimeIndex.entryBytes, keeping: dormant.timeEntries))
  }

  private static func makeIndexes(
    of segment: Segment, in directory: LogDirectory, _ config: LogConfig
  ) throws(DiskError) -> SegmentFiles.Indexes {
    func make(_ kind: SegmentName.Kind, _ entryBytes: Int) throws(DiskError) -> IndexFile {
      try fresh(segment.path(kind), directory.disk) { (path) throws(DiskError) in
        try IndexFile.openActive(
          in: directory, path: path, entryBytes: entryBytes,
          bytesMax: config.segmentIndexBytes, keeping: 0, create: true)
      }
    }
    return SegmentFiles.Indexes(
      of: segment, try make(.index, OffsetIndex.entryBytes),
      try make(.timeindex, TimeIndex.entryBytes))
  }

  private static func fresh<T>(
    _ path: String, _ disk: any Disk, _ make: (String) throws(DiskError) -> T
  ) throws(DiskError) -> T {
    do {
      return try make(path)
    } catch  where error.isAlreadyThere {
      try disk.remove(path)
      return try make(path)
    }
  }
}
