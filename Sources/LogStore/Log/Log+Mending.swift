internal import DiskIO

/// Putting right what a verification found beside the batches.
extension Log {
  /// Builds a segment's indexes anew from its batches and stores them.
  package func mendIndexes(ofSegment baseOffset: Int64) throws(LogError) {
    let list = segments.snapshot.segments
    guard let segment = list.first(where: { $0.baseOffset == baseOffset }) else { return }
    let files = try files(of: segment)
    // Where it ends must be known before it is walked over.
    _ = try end(of: segment)
    _ = try freshIndexes(of: segment, files)
  }

  /// Removes a producer snapshot that cannot be used; an older one takes its place.
  package func removeSnapshot(at offset: Int64) throws(LogError) {
    let path = directory.path(SegmentName(offset, .snapshot).fileName)
    do throws(DiskError) {
      guard try directory.disk.status(path) != nil else { return }
      try directory.disk.remove(path)
      try directory.disk.syncDirectory(directory.path)
    } catch {
      throw LogError(error)
    }
  }
}
