internal import CMkstoreShims

/// An unnamed file of the operating system in memory: for simulation, so that mappings behave as
/// those of a real file.
package final class MemoryFile: Sendable {
  private let posix: PosixFile

  /// Makes an empty one; `path` is for messages.
  package init(path: String) throws(DiskError) {
    let fd = mk_memory_file()
    guard fd >= 0 else { throw DiskError(.map, path, code: -fd) }
    posix = PosixFile(path: path, fd: fd)
  }

  /// The file, open as long as this object or anything made from it lives.
  package var file: any DiskFile { posix }

  /// Position of the first bytes at or after `position` that were written or accessed through a
  /// mapping; nil if there are none.
  package func nextData(from position: Int) -> Int? {
    let found = mk_next_data(posix.fd, Int64(position))
    return found >= 0 ? Int(found) : nil
  }
}
