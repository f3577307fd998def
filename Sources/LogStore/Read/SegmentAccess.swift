internal import DiskIO
internal import Logging

/// Opens segments of a log for readers, through the store's cache of open files. Any thread.
package final class SegmentAccess: Sendable {
  package let log: LogEnvironment
  package let store: SegmentStore
  package let offsets: LogOffsets
  let health: LogHealth
  /// nil in a log that was opened for reading only.
  let writer: Writer?

  package init(
    _ log: LogEnvironment, _ store: SegmentStore, _ offsets: LogOffsets, _ health: LogHealth,
    _ writer: Writer?
  ) {
    self.log = log
    self.store = store
    self.offsets = offsets
    self.health = health
    self.writer = writer
  }

  /// Opens a segment.
  package func open(_ segment: Segment) throws(LogError) -> SegmentView {
    SegmentView(self, segment, try files(of: segment))
  }

  private func files(of segment: Segment) throws(LogError) -> SegmentFiles {
    let cache = log.context.fileCache
    do throws(DiskError) {
      let files = try cache.files(of: segment) { () throws(DiskError) in
        let file = try log.disk.open(segment.path(.log), .read)
        // The name may now belong to the segment that replaced this one.
        if segment.isRetired { throw DiskError.notFound(.open, file.path) }
        return SegmentFiles(
          of: segment, log: log.isReadOnly ? WitnessFile(file, segment.damage) : file, indexes: nil)
      }
      if !health.isGone { return files }
    } catch {
      try health.checkPresent()
      if log.isReadOnly, error.isNotFound {
        // The caller starts again if the owner has removed the log's first segments.
        try forgetRemoved()
      }
      throw LogError(error)
    }
    // The opened file may belong to a log that has the name now.
    cache.remove(segment)
    throw .closed(path: log.path)
  }

  private func forgetRemoved() throws(LogError) {
    do throws(DiskError) {
      try LogFollower(self).forgetRemoved()
    } catch {
      throw LogError(error)
    }
  }

  /// Runs `body`, again if the log's segments changed before it failed: a segment that it was about
  /// to open may be removed or replaced.
  package func retrying<Result>(
    _ body: () throws(LogError) -> Result
  ) throws(LogError) -> Result {
    while true {
      let generation = store.generation
      do throws(LogError) {
        return try body()
      } catch {
        if store.generation == generation { throw error }
      }
    }
  }

  /// The segments that have any bytes, oldest first, each opened in turn, until `body` returns
  /// false.
  func forEachView(
    from offset: Int64? = nil, _ body: (SegmentView) throws(LogError) -> Bool
  ) throws(LogError) {
    let state = store.state
    let first = offset.flatMap { state.index(of: $0) } ?? 0
    for segment in state.segments.dropFirst(first) {
      let view = try open(segment)
      guard Int(try view.end().position) > 0 else { continue }
      guard try body(view) else { return }
    }
  }
}
