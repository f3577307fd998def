internal import DiskIO
internal import Logging

/// Segments that a verb removed from a log: their files keep `.deleted` names until the
/// `Housekeeper` unlinks them, after `file.delete.delay.ms`. A reader that has one open may
/// continue for as long again; then its reads fail, and the files' space is free.
final class RetiredSegments: Housekeeper.Job {
  private let store: SegmentStore
  private let segments: [Segment]
  private let left: Locked<Left>
  private var log: LogEnvironment { store.log }

  private struct Left {
    /// Names to be unlinked, the last first.
    var names: [String]
    /// Whether the files were unlinked a delay ago.
    var isUnlinked = false
  }

  /// - Parameters:
  ///   - segments: Segments that readers may still have open.
  ///   - names: The current names of their files.
  init(_ segments: [Segment], named names: [String], of store: SegmentStore) {
    self.segments = segments
    self.store = store
    left = Locked(Left(names: names.reversed()))
  }

  /// Whether there is nothing to do.
  var isEmpty: Bool { segments.isEmpty && left.withLock { $0.names.isEmpty } }

  func step() -> Housekeeper.Progress {
    left.withLock { left in
      if left.isUnlinked { return withdraw() }
      if let name = left.names.last {
        let progress = remove(name)
        guard progress == .more else { return progress }
        left.names.removeLast()
      }
      guard left.names.isEmpty else { return .more }
      left.isUnlinked = true
      return .again(afterMs: log.config.fileDeleteDelayMs)
    }
  }

  private func withdraw() -> Housekeeper.Progress {
    let state = store.state
    let end = state.segments.last.map {
      $0.baseOffset + ($0.isEndKnown ? Int64($0.publishedEnd.relativeOffset) : 0)
    }
    for segment in segments {
      segment.service.end(
        logStartOffset: state.startOffset, endOffset: max(state.startOffset, end ?? 0))
      log.context.fileCache.remove(segment)
      do throws(DiskError) {
        try segment.abandonFiles()
      } catch {
        log.context.rateLimitedLog.log(
          .warning, cause: "closing removed segments of \(log.topicPartition)",
          "a deleted file is still open, and takes space; this is tried again",
          metadata: ["error": "\(error)"])
        return .again(afterMs: Self.retryMs)
      }
    }
    return .done
  }

  private static let retryMs: Int64 = 60_000

  /// - Returns: `.done` if the log ended before: its next opening removes the rest.
  private func remove(_ name: String) -> Housekeeper.Progress {
    let path = log.directory.path(name)
    do throws(DiskError) {
      let progress = try store.changeFiles { () throws(DiskError) -> Housekeeper.Progress in
        try log.disk.remove(path)
        return .more
      }
      return progress ?? .done
    } catch {
      if error.isNotFound { return .more }
      log.context.rateLimitedLog.log(
        .warning, cause: "unlinking in \(log.topicPartition)",
        "a file of a removed segment was not unlinked; this is tried again",
        metadata: ["path": "\(path)", "error": "\(error)"])
      return .again(afterMs: Self.retryMs)
    }
  }
}
