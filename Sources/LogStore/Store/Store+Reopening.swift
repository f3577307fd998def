internal import CoreMetrics
internal import DiskIO
internal import Logging

/// Opening a failed log again, while the store stays open.
extension Store {
  /// Opens a failed log again; see `reopenLogBlocking`.
  ///
  /// - Throws: As `reopenLogBlocking`.
  public func reopenLog(_ topicPartition: TopicPartition) async throws(LogError) -> Log {
    try await OneOffThread.run { [self] () throws(LogError) in
      try reopenLogBlocking(topicPartition)
    }
  }

  /// Opens a log again that refuses appends since a write or sync of it failed (`.poisoned`).
  ///
  /// What is on disk is read and checked as at any opening after a crash: what was acknowledged is
  /// there, what was written and not synced is there whole or not at all. The `Log` object so far
  /// refuses everything from then on, and readers of it throw `.closed`: use the one that is
  /// returned. A disk that does not answer changes nothing: reads of the log go on, and this may be
  /// tried again. Producers whose batches were refused still have to send them first.
  ///
  /// - Returns: The log to use; the same as before where it has not failed.
  /// - Throws: `.notFound`, `.closed`; `.disk` and `.diskFull` where the disk does not answer yet;
  ///   `.corrupt` where records that were acknowledged are not on disk any more.
  /// - Complexity: As opening the log after a crash. Blocks; so does making and deleting logs
  ///   meanwhile.
  public func reopenLogBlocking(_ topicPartition: TopicPartition) throws(LogError) -> Log {
    try naming.withLock { (_) throws(LogError) -> Log in
      try closing.withLock { (isClosed) throws(LogError) -> Log in
        if isClosed || state.withLock({ $0.isClosed }) { throw .closed(path: path) }
        guard let log = log(topicPartition) else {
          throw .notFound(path: "\(path)/\(topicPartition)")
        }
        if log.health.isDeleted { throw .closed(path: log.path) }
        return log.health.isFailed ? try replace(log) : log
      }
    }
  }

  /// Holder of `naming` and `closing`.
  private func replace(_ failed: Log) throws(LogError) -> Log {
    do throws(DiskError) {
      try checkNotMoved(failed)
      try probe(failed.path)
    } catch {
      throw LogError(error)
    }
    // From here on the old object must not touch the files: they may be cut.
    failed.giveUp()
    failed.writing?.writer.noteUncertainBatches()
    let (log, _) = try load(failed)
    take(log, inPlaceOf: failed)
    context.metrics.reopenedLogs.increment()
    context.rateLimitedLog.log(
      .notice, cause: "reopened: \(log.topicPartition)",
      "the log was opened again and takes appends",
      metadata: [
        "log": "\(log.topicPartition)", "logEndOffset": "\(log.logEndOffset)",
        "cut": "\(log.recovery.cuts.count)", "damaged": "\(log.recovery.damage.count)",
      ])
    return log
  }

  /// Hands a log out that was opened again. Holder of `naming` and `closing`.
  func take(_ log: Log, inPlaceOf old: Log) {
    state.withLock { $0.logs[log.topicPartition] = log }
    log.writing.map { context.flusher.add($0.pipeline) }
    old.replaced.publish(1)
  }

  /// Reopens a log that was given up.
  ///
  /// - Returns: The log, and what was completed of a truncation.
  func load(_ failed: Log) throws(LogError) -> (Log, Truncation?) {
    if let pipeline = failed.writing?.pipeline {
      do throws(DiskError) {
        try context.flusher.journal?.setAside(pipeline)
      } catch {
        throw LogError(error)
      }
    }
    let loader = LogLoader(
      failed.topicPartition,
      in: failed.environment.directory, config: failed.config,
      access: .write,
      hints: .init(
        isCleanStop: false, recoveryPoint: failed.recoveryPoint,
        logStartOffset: failed.store.state.checkpointedStartOffset),
      nowMs: context.nowMs())
    let loaded: LoadedLog
    do throws(DiskError) {
      loaded = try loader.load()
    } catch {
      throw LogError(error)
    }
    // Offsets that were acknowledged must not be given out again.
    let reached = min(failed.durableEndOffset, loaded.truncation?.endOffset ?? Int64.max)
    guard loaded.logEndOffset >= reached else {
      throw .corrupt(
        DamagedRange(
          file: failed.path, bytes: 0..<0, offsets: loaded.logEndOffset..<reached,
          reason: "acknowledged records are not on disk any more; the log stays closed"))
    }
    context.tellDropped(loaded.report, of: failed.topicPartition)
    let log = Log(
      loaded, config: failed.config, context: context,
      settings: failed.environment.settings,
      refused: failed.writing?.writer.refused)
    return (log, loaded.truncation)
  }

  /// Throws where the files are not under their names any more: the directory was moved or removed,
  /// and what is there now is not this log.
  private func checkNotMoved(_ log: Log) throws(DiskError) {
    guard let file = log.writing?.writer.active?.log, !file.isStillNamed else { return }
    throw DiskError.notFound(.open, file.path)
  }

  /// Whether the disk answers: writes a small file in the log's directory, syncs and removes it.
  private func probe(_ directory: String) throws(DiskError) {
    let disk = context.disk
    let path = "\(directory)/\(Self.probeName)"
    if try disk.status(path) != nil { try disk.remove(path) }
    do throws(DiskError) {
      let file = try disk.open(path, .create)
      try file.write([UInt8](repeating: 0, count: 4096).span, at: 0)
      try file.sync()
    } catch  where error.isShortage && !error.isFailedSync {
      // A full disk answers, and a log can be opened on it.
    }
    if try disk.status(path) != nil { try disk.remove(path) }
  }

  /// A left-over of this name is passed over by every reader of the directory.
  private static let probeName = "mkstore.probe.tmp"
}
