package import DiskIO

extension ActiveSegment {
  /// Makes the files of a new segment. Left-overs of its name, of an attempt that failed half-way,
  /// go first, as in Kafka; they hold no record, since the log ends at `baseOffset`.
  package static func create(
    in directory: LogDirectory, baseOffset: Int64, config: LogConfig, nowMs: Int64
  ) throws(DiskError) -> ActiveSegment {
    let segment = Segment(
      baseOffset: baseOffset, directory: directory,
      end: SegmentEnd(relativeOffset: 0, position: 0), isSealed: false)
    // The log file last: a segment exists once its log does, and then its indexes do too.
    let indexes = try makeIndexes(of: segment, in: directory, config)
    let log = try fresh(segment.path(.log), directory.disk) { (path) throws(DiskError) in
      try directory.disk.open(path, .create)
    }
    segment.setPinned(true)
    segment.keepOpen(SegmentFiles(log: log, indexes: indexes))
    return ActiveSegment(
      segment: segment, log: log, offsetIndex: indexes.offset, timeIndex: indexes.time,
      position: 0, nextOffset: baseOffset, cursor: IndexCursor(baseOffset: baseOffset),
      createdMs: nowMs)
  }

  /// Opens the last segment of a log for going on with it.
  package static func resume(
    _ dormant: DormantSegment, in directory: LogDirectory, config: LogConfig
  ) throws(DiskError) -> ActiveSegment {
    let segment = dormant.segment
    func index(_ kind: SegmentName.Kind, _ entryBytes: Int, keeping: Int) throws(DiskError)
      -> IndexFile
    {
      // Missing where the disk was full when the log was opened.
      let isMissing = try directory.disk.status(segment.path(kind)) == nil
      return try IndexFile.openActive(
        in: directory, path: segment.path(kind), entryBytes: entryBytes,
        bytesMax: config.segmentIndexBytes, keeping: keeping, create: isMissing)
    }
    let log = try directory.disk.open(segment.path(.log), .readWrite)
    let offsetFile = try index(
      .index, OffsetIndex.entryBytes, keeping: dormant.offsetEntries)
    let timeFile = try index(.timeindex, TimeIndex.entryBytes, keeping: dormant.timeEntries)
    let indexes = SegmentFiles.Indexes(
      offset: OffsetIndex(baseOffset: segment.baseOffset, file: offsetFile),
      time: TimeIndex(baseOffset: segment.baseOffset, file: timeFile))
    segment.setPinned(true)
    segment.replaceOpen(SegmentFiles(log: log, indexes: indexes))
    return ActiveSegment(
      segment: segment, log: log, offsetIndex: indexes.offset, timeIndex: indexes.time,
      position: dormant.position, nextOffset: dormant.nextOffset, cursor: dormant.cursor,
      createdMs: dormant.createdMs)
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
      offset: OffsetIndex(
        baseOffset: segment.baseOffset, file: try make(.index, OffsetIndex.entryBytes)),
      time: TimeIndex(
        baseOffset: segment.baseOffset, file: try make(.timeindex, TimeIndex.entryBytes)))
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
