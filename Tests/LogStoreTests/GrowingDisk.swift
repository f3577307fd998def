import DiskIO
import LogStore

/// A disk whose `.log` files are still being written when they are first looked at: their size is a
/// smaller one at the first question. Read-only.
final class GrowingDisk: Disk {
  private let base: any Disk
  private let firstSize: Int

  init(_ base: any Disk, firstSize: Int) {
    self.base = base
    self.firstSize = firstSize
  }

  var bootIdentifier: UInt64 { base.bootIdentifier }

  func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
    let file = try base.open(path, mode)
    return path.hasSuffix(".log") ? GrowingFile(file, firstSize: firstSize) : file
  }

  func status(_ path: String) throws(DiskError) -> FileStatus? { try base.status(path) }
  func list(_ directory: String) throws(DiskError) -> [DirectoryEntry] { try base.list(directory) }
  func space(_ path: String) throws(DiskError) -> DiskSpace { try base.space(path) }
  func makeDirectory(_ path: String) throws(DiskError) { throw refused(.makeDirectory, path) }
  func rename(_ source: String, to destination: String) throws(DiskError) {
    throw refused(.rename, source)
  }
  func remove(_ path: String) throws(DiskError) { throw refused(.remove, path) }
  func removeDirectory(_ path: String) throws(DiskError) { throw refused(.removeDirectory, path) }
  func syncDirectory(_ path: String) throws(DiskError) { throw refused(.syncDirectory, path) }
  func lock(_ path: String) throws(DiskError) -> any DiskLock { throw refused(.lock, path) }

  /// EROFS.
  private func refused(_ operation: DiskError.Operation, _ path: String) -> DiskError {
    DiskError(operation, path, code: 30)
  }
}

/// See `GrowingDisk`.
private final class GrowingFile: DiskFile {
  private let base: any DiskFile
  private let visible: Locked<Int?>

  init(_ base: any DiskFile, firstSize: Int) {
    self.base = base
    visible = Locked(firstSize)
  }

  var path: String { base.path }
  var descriptor: Int32? { nil }

  func size() throws(DiskError) -> Int {
    if let first = visible.withLock({ visible in
      defer { visible = nil }
      return visible
    }) {
      return first
    }
    return try base.size()
  }

  func read(into buffer: inout MutableSpan<UInt8>, at position: Int) throws(DiskError) -> Int {
    try base.read(into: &buffer, at: position)
  }
  func write(_ bytes: Span<UInt8>, at position: Int) throws(DiskError) { throw refused(.write) }
  func truncate(to size: Int) throws(DiskError) { throw refused(.truncate) }
  func allocate(to size: Int) throws(DiskError) { throw refused(.allocate) }
  func sync() throws(DiskError) { throw refused(.sync) }
  func map(capacity: Int, writable: Bool) throws(DiskError) -> MappedRegion {
    try base.map(capacity: capacity, writable: false)
  }
  func advise(_ advice: ReadAdvice, at position: Int, count: Int) {}

  private func refused(_ operation: DiskError.Operation) -> DiskError {
    DiskError(operation, path, code: 30)
  }
}
