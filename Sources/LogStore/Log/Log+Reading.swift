public import DiskIO
public import Logging
public import RecordFormat

/// Looking for times and transactions. Records are read with a `LogReader`.
extension Log {
  /// The first record, by offset, whose time is at or after `timestamp`.
  ///
  /// Record times need not rise. Time indexes only tell where to begin; every entry that is used is
  /// confirmed by the batch it names, so a wrong index changes nothing but the cost.
  ///
  /// - Parameter timestamp: Milliseconds since 1970 UTC.
  /// - Returns: nil where every record is older.
  /// - Throws: `.disk`. A damaged range is passed over: what it held is unknown.
  public func offset(forTimestamp timestamp: Int64) throws(LogError) -> OffsetForTime? {
    try TimeLookup(access).offset(forTimestamp: timestamp)
  }

  /// The record with the greatest time and the first batch that holds it; nil in an empty log.
  ///
  /// - Throws: As `offset(forTimestamp:)`.
  public func offsetOfLargestTimestamp() throws(LogError) -> OffsetForTime? {
    try TimeLookup(access).offsetOfLargestTimestamp()
  }

  /// All records below this offset belong to no open transaction: where a reader of committed
  /// records stops. Never beyond the high watermark.
  ///
  /// - Throws: As `loadProducers`, which the first call does.
  /// - Complexity: Three atomic loads once the producer state is there.
  package var lastStableOffset: Int64 {
    get throws(LogError) { try producers.lastStableOffset() }
  }

  /// The aborted transactions that a reader of the offsets from `offset` up to `end` must know,
  /// by rising last offset.
  ///
  /// - Throws: `.disk`.
  package func abortedTransactions(from offset: Int64, to end: Int64) throws(LogError)
    -> [AbortedTransaction]
  {
    try producers.abortedTransactions(from: offset, to: end)
  }

  /// Whether `lastStableOffset` and a batch with a producer id need not read the log first.
  package var isProducerStateLoaded: Bool { producers.tracking.isLoaded }

  /// Reads the state of the log's producers, where it was not read yet: the newest snapshot, and
  /// the log from there on. Blocks, so not for an event loop; the first append does it too.
  ///
  /// - Throws: `.disk` where the log cannot be read; a snapshot that cannot be read is passed by.
  package func loadProducers() throws(LogError) { try producers.load() }

  /// Looks for batches that the log's owner has appended since; one thread at a time.
  ///
  /// - Returns: Whether the log end offset moved; false in a log that is open for writing.
  /// - Throws: `.disk`; what was found before stays found.
  /// - Complexity: Lists the directory, and reads what was appended since.
  public func refresh() throws(LogError) -> Bool {
    environment.isReadOnly ? try LogFollower(access).refresh() : false
  }

  // MARK: Records

  /// The offset of a position. May read from the disk.
  func offset(of position: LogPosition, _ limit: LogReader.Limit) throws(LogError) -> Int64 {
    switch position {
    case .earliest: logStartOffset
    case .latest: offsets.notifier(limit).value
    case .offset(let offset): offset
    case .since(let time):
      try offset(forTimestamp: time.millisecondsSince1970)?.offset
        ?? offsets.notifier(limit).value
    }
  }

  /// The records from a position on, for `for try await`; see `RecordStream`.
  ///
  /// - Parameters:
  ///   - position: Where to begin.
  ///   - end: Where to stop; by default never.
  ///   - limit: By default only what is acknowledged.
  public func records(
    from position: LogPosition = .earliest, through end: StreamEnd = .never,
    limit: LogReader.Limit = .highWatermark
  ) -> RecordStream {
    let endOffset: Int64? =
      switch end {
      case .never: nil
      case .currentEnd: offsets.notifier(limit).value
      case .offset(let offset): offset
      }
    // What is appended from now on, whenever the stream is first asked for a record.
    let start: LogPosition =
      position == .latest ? .offset(offsets.notifier(limit).value) : position
    return RecordStream(log: self, position: start, end: endOffset, limit: limit)
  }

  /// The first record, by offset, whose time is at or after `time`; nil where all are older.
  ///
  /// - Throws: As `offset(forTimestamp:)` and `LogReader.record`.
  public func firstRecord(since time: Timestamp) async throws(LogError) -> Record? {
    try await context.fetchers.run { [self] () throws(LogError) in
      guard let found = try offset(forTimestamp: time.millisecondsSince1970) else { return nil }
      return try LogReader(self).record(at: found.offset)
    }
  }

  /// The record at `offset`, or in a gap the next one; nil where there is none yet.
  ///
  /// - Throws: As `LogReader.record`.
  public func record(at offset: Int64) async throws(LogError) -> Record? {
    try await context.fetchers.run { [self] () throws(LogError) in
      try LogReader(self).record(at: offset)
    }
  }
}

extension Log {
  /// Opens a log's directory for reading only.
  ///
  /// Shows every valid batch, also what the owner has not synced yet; an unfinished end is passed
  /// over, damage is fenced. `refresh` looks for what was appended since. Reads a part of the log.
  ///
  /// - Parameters:
  ///   - path: A `<topic>-<partition>` directory.
  ///   - disk: The file system that it is on.
  ///   - openSegmentsMax: Most segments kept open at once.
  ///   - logger: Where damage that reads find is told; nil: the process's logging system, label
  ///     `mkstore`.
  /// - Throws: `.notFound`, `.invalidName`, `.disk`.
  public static func openReadOnlyBlocking(
    _ path: String, disk: any Disk = PosixDisk(), openSegmentsMax: Int = 32,
    logger: Logger? = nil
  ) throws(LogError) -> Log {
    let path = PathText.trimmed(path)
    let name = PathText.lastComponent(path)
    let topicPartition: TopicPartition
    do throws(TopicPartitionError) {
      topicPartition = try TopicPartition(directoryName: name)
    } catch {
      throw .invalidName(name: name, reason: "\(error)")
    }
    let context = StoreContext(
      disk: disk, fileCache: SegmentFileCache(capacity: openSegmentsMax), flusher: Flusher(),
      fetchers: FetcherPool(cores: []), housekeeper: Housekeeper(),
      nowMs: { WallClock.nowMs() },
      logger: DefaultLogger.resolve(logger),
      metrics: StoreMetrics())
    do throws(DiskError) {
      guard try disk.status(path)?.kind == .directory else {
        throw DiskError.notFound(.open, path)
      }
      let hints = readHints(of: topicPartition, store: PathText.parent(path), disk)
      let loader = LogLoader(
        topicPartition, in: LogDirectory(disk: disk, path: path), config: LogConfig(),
        access: .read, hints: hints, nowMs: WallClock.nowMs())
      return Log(try loader.load(), config: LogConfig(), context: context)
    } catch  where error.isNotFound {
      throw .notFound(path: path)
    } catch {
      throw LogError(error)
    }
  }

  /// What the store around a log says of it; a store's file that cannot be read says nothing.
  private static func readHints(
    of topicPartition: TopicPartition, store: String, _ disk: any Disk
  ) -> LogHints {
    do throws(DiskError) {
      return try StoreHints(disk, directory: store).hints(of: topicPartition)
    } catch {
      return StoreHints().hints(of: topicPartition)
    }
  }
}
