import DiskIO
import Glibc
import LogStore

/// A disk whose `.log` files are still being written when they are first looked at: their size is a
/// smaller one at the first question. Read-only.
final class GrowingDisk: ForwardingDisk {
  let base: any Disk
  private let firstSize: Int

  init(_ base: any Disk, firstSize: Int) {
    self.base = base
    self.firstSize = firstSize
  }

  func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
    guard mode == .read else { throw DiskError(.open, path, code: EROFS) }
    let file = try base.open(path, mode)
    return path.hasSuffix(".log") ? GrowingFile(file, firstSize: firstSize) : file
  }

  func makeDirectory(_ path: String) throws(DiskError) { throw refused(.makeDirectory, path) }
  func rename(_ source: String, to destination: String) throws(DiskError) {
    throw refused(.rename, source)
  }
  func remove(_ path: String) throws(DiskError) { throw refused(.remove, path) }
  func removeDirectory(_ path: String) throws(DiskError) { throw refused(.removeDirectory, path) }
  func syncDirectory(_ path: String) throws(DiskError) { throw refused(.syncDirectory, path) }
  func lock(_ path: String) throws(DiskError) -> any DiskLock { throw refused(.lock, path) }

  private func refused(_ operation: DiskError.Operation, _ path: String) -> DiskError {
    DiskError(operation, path, code: EROFS)
  }
}

/// See `GrowingDisk`.
private final class GrowingFile: ForwardingFile {
  let base: any DiskFile
  private let visible: Locked<Int?>

  init(_ base: any DiskFile, firstSize: Int) {
    self.base = base
    visible = Locked(firstSize)
  }

  func size() throws(DiskError) -> Int {
    if let first = visible.withLock({ visible in
      defer { visible = nil }
      return visible
    }) {
      return first
    }
    return try base.size()
  }
}
