internal import RecordFormat
public import DiskIO
public import Logging

/// Reading a log that another process (or nobody) owns: no lock, no change, also on read-only
/// media.
extension Log {
  /// Opens a log's directory for reading only.
  ///
  /// Shows every valid batch, also what the owner has not synced yet; an unfinished end is passed
  /// over, damage is fenced. `refresh` looks for what was appended since.
  ///
  /// - Parameters:
  ///   - path: A `<topic>-<partition>` directory.
  ///   - disk: The file system that it is on.
  ///   - openSegmentsMax: Most segments kept open at once.
  ///   - logger: Where damage that reads find is told.
  /// - Throws: `.notFound`, `.invalidName`, `.disk`.
  public static func openReadOnly(
    _ path: String, disk: any Disk = PosixDisk(), openSegmentsMax: Int = 32,
    logger: Logger = Logger(label: "mkstore")
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
      fetchers: FetcherPool(cores: []), nowMs: { WallClock.nowMs() }, logger: logger,
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

  /// Looks for batches that the log's owner has appended since; one thread at a time.
  ///
  /// - Returns: Whether the log end offset moved; false in a log that is open for writing.
  /// - Throws: `.disk`; what was found before stays found.
  /// - Complexity: Lists the directory, and reads what was appended since.
  public func refresh() throws(LogError) -> Bool {
    guard isReadOnly else { return false }
    let before = logEndOffset
    do throws(DiskError) {
      // Whoever has a successor by now has its last byte: each segment is read to its end before
      // the next one is taken, by rising offsets, whatever the order of the names.
      for baseOffset in try newSegments() {
        try followTail(before: baseOffset)
        let segment = Segment(
          baseOffset: baseOffset, directory: directory,
          end: SegmentEnd(relativeOffset: 0, position: 0), isSealed: true)
        segments.update { $0.append(segment) }
        if baseOffset > logEndOffset { logEnd.publish(baseOffset) }
      }
      try followTail(before: nil)
    } catch {
      throw LogError(error)
    }
    return logEndOffset > before
  }

  /// Base offsets of the segments behind the last one that is known, rising.
  private func newSegments() throws(DiskError) -> [Int64] {
    let known = segments.snapshot.segments.last?.baseOffset ?? -1
    return try directory.disk.list(directory.path).compactMap { entry -> Int64? in
      guard let name = SegmentName(entry.name), name.kind == .log, name.stage == nil,
        name.baseOffset > known
      else { return nil }
      return name.baseOffset
    }.sorted()
  }

  /// Publishes whole valid batches that stand behind the last segment's known end.
  ///
  /// - Parameter next: Base offset of the segment that follows it, so that nothing more is written
  ///   to it: then an invalid batch is damage, not one that is being written.
  private func followTail(before next: Int64?) throws(DiskError) {
    guard let segment = segments.snapshot.segments.last, segment.isEndKnown else { return }
    let end = segment.publishedEnd
    let log = try directory.disk.open(segment.path(.log), .read)
    let size = try log.size()
    guard size > Int(end.position) else { return }
    var scanner = SegmentScanner(
      log, from: Int(end.position), endPosition: size,
      expectedOffset: segment.baseOffset + Int64(end.relativeOffset),
      offsetLimit: SegmentScanner.offsetLimit(after: segment.baseOffset, before: next),
      options: SegmentScanner.Options(rules: rules, isFollowed: next != nil))
    walk: while true {
      switch try scanner.next() {
      case .batch(let header, let position):
        segment.verified.appended(position..<position + header.byteCount)
      case .end: break walk
      case .invalid(let fault, _):
        guard let next else { break walk }
        let expected = scanner.expectedOffset
        let skipped = try scanner.resume().skipped
        let end = scanner.offsetBehindDamage ?? next
        fence(segment, skipped, expected..<max(expected, end), fault.description)
      }
    }
    guard scanner.position > Int(end.position) else { return }
    segment.setLargestTimestamp(nil)
    segment.publish(
      SegmentEnd(
        relativeOffset: UInt32(clamping: scanner.expectedOffset - segment.baseOffset),
        position: UInt32(clamping: scanner.position)))
    logEnd.publish(scanner.expectedOffset)
    flushed.publish(scanner.expectedOffset)
  }
}
