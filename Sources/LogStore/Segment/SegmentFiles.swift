internal import DiskIO
internal import Synchronization

/// The open files of one segment: the log and, once requested, its indexes.
///
/// Closes with its last user, so that a cache may drop it while a reader still holds it. Any
/// thread.
package final class SegmentFiles: Sendable {
  /// The `.log` file.
  let log: any DiskFile
  /// Whether they may still be read.
  let service: SegmentService
  private let indexes: Locked<Indexes?>
  private let readsAhead = Atomic<Bool>(true)

  /// Both indexes of a segment.
  package struct Indexes: Sendable {
    var offset: OffsetIndex
    var time: TimeIndex

    init(offset: OffsetIndex, time: TimeIndex) {
      self.offset = offset
      self.time = time
    }

    /// For a segment's two index files.
    init(of segment: Segment, _ offset: IndexFile, _ time: IndexFile) {
      self.offset = OffsetIndex(baseOffset: segment.baseOffset, file: offset)
      self.time = TimeIndex(baseOffset: segment.baseOffset, file: time)
    }
  }

  init(of segment: Segment, log: any DiskFile, indexes: Indexes?) {
    service = segment.service
    self.log = log
    self.indexes = Locked(indexes)
  }

  /// Whether the kernel may read ahead in the log.
  @inline(__always)
  package var isReadingAhead: Bool { readsAhead.load(ordering: .relaxed) }

  /// Allows or forbids the kernel's readahead in the log; a system call only if that changes.
  func setReadAhead(_ isOn: Bool) {
    guard isReadingAhead != isOn else { return }
    readsAhead.store(isOn, ordering: .relaxed)
    log.advise(isOn ? .normal : .random, at: 0, count: 0)
  }

  /// The indexes, opened by `open` at the first call.
  func indexes(orOpen open: () throws(DiskError) -> Indexes) throws(DiskError) -> Indexes {
    if let opened = indexes.withLock({ $0 }) { return opened }
    let fresh = try open()
    return indexes.withLock { current in
      if let current { return current }
      current = fresh
      return fresh
    }
  }

  /// The indexes, if they are open.
  var openIndexes: Indexes? { indexes.withLock { $0 } }

  /// Closes the log and the indexes for every holder of this object: reads fail from then on.
  func abandon() throws(DiskError) {
    indexes.withLock { $0 = nil }
    try log.abandon()
  }

  /// Replaces bad indexes by rebuilt ones.
  func replaceIndexes(_ fresh: Indexes) { indexes.withLock { $0 = fresh } }
}
