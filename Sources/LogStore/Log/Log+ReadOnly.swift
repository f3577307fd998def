public import DiskIO
public import Logging

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
  ///   - logger: Where damage that reads find is told; nil: the process's logging system, label
  ///     `mkstore`.
  /// - Throws: `.notFound`, `.invalidName`, `.disk`.
  public static func openReadOnly(
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
