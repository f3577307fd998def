internal import DiskIO
internal import MkstoreBytes

/// A log's files as they will be once the journal's entries are in them: for everything that looks
/// at a log and may not change it.
final class JournalView: Disk {
  private let base: any Disk
  /// Bytes to put over a file, by its path.
  private let pieces: [String: [JournalReplay.Piece]]

  init(_ base: any Disk, _ replay: JournalReplay, in directory: LogDirectory) {
    self.base = base
    pieces = Dictionary(grouping: replay.writes) { piece in
      directory.path(SegmentName(piece.segmentBase, .log).fileName)
    }
  }

  var bootIdentifier: UInt64 { base.bootIdentifier }

  func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
    let file = try base.open(path, mode)
    return pieces[path].map { OverlaidFile(file, $0) } ?? file
  }

  func status(_ path: String) throws(DiskError) -> FileStatus? {
    var status = try base.status(path)
    if let size = status?.size, let last = pieces[path]?.last {
      status?.size = max(size, last.position + last.bytes.count)
    }
    return status
  }

  func list(_ directory: String) throws(DiskError) -> [DirectoryEntry] {
    try base.list(directory)
  }

  func makeDirectory(_ path: String) throws(DiskError) { try base.makeDirectory(path) }
  func rename(_ source: String, to destination: String) throws(DiskError) {
    try base.rename(source, to: destination)
  }
  func remove(_ path: String) throws(DiskError) { try base.remove(path) }
  func removeDirectory(_ path: String) throws(DiskError) { try base.removeDirectory(path) }
  func syncDirectory(_ path: String) throws(DiskError) { try base.syncDirectory(path) }
  func sharedSync(of path: String) throws(DiskError) -> (any SharedSync)? {
    try base.sharedSync(of: path)
  }
  func lock(_ path: String) throws(DiskError) -> any DiskLock { try base.lock(path) }
  func space(_ path: String) throws(DiskError) -> DiskSpace { try base.space(path) }
}

/// A file with other bytes put over its own.
private final class OverlaidFile: WrappingFile {
  let base: any DiskFile
  private let pieces: [JournalReplay.Piece]

  init(_ base: any DiskFile, _ pieces: [JournalReplay.Piece]) {
    self.base = base
    self.pieces = pieces
  }

  func size() throws(DiskError) -> Int {
    pieces.reduce(try base.size()) { max($0, $1.position + $1.bytes.count) }
  }

  func read(into buffer: inout MutableSpan<UInt8>, at position: Int) throws(DiskError) -> Int {
    let count = max(0, min(buffer.count, try size() - position))
    // Bytes that the disk cannot read may lie under a piece.
    var done: Int
    do throws(DiskError) {
      done = try base.read(into: &buffer, at: position)
    } catch {
      guard error.isUnreadableSector, isCovered(position..<position + count) else { throw error }
      done = 0
    }
    // Between the file's end and a piece there is a hole.
    while done < count {
      buffer[done] = 0
      done += 1
    }
    for piece in pieces {
      let range = (piece.position..<piece.position + piece.bytes.count)
        .clamped(to: position..<position + count)
      guard !range.isEmpty else { continue }
      let part = piece.bytes.span.extracting(
        range.lowerBound - piece.position..<range.upperBound - piece.position)
      buffer.copy(part, at: range.lowerBound - position)
    }
    return count
  }

  private func isCovered(_ range: Range<Int>) -> Bool {
    var next = range.lowerBound
    for piece in pieces.sorted(by: { $0.position < $1.position })
    where piece.position <= next { next = max(next, piece.position + piece.bytes.count) }
    return next >= range.upperBound
  }

  // Nothing else of the file itself holds for it.
  func firstHole(from position: Int) -> Int? { nil }
  func residency(of range: Range<Int>) -> Residency? { nil }
  func sendDescriptor(for range: Range<Int>) throws(DiskError) -> Int32? { nil }
  func send(to socket: Int32, from position: Int, count: Int) throws(DiskError) -> Int {
    try sendCopy(to: socket, from: position, count: count)
  }
}
