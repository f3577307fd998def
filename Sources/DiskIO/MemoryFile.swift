internal import CMkstoreShims

/// A file of the operating system that has no name and lives in memory: for simulation, where
/// mappings are to behave as those of a real file.
package final class MemoryFile: Sendable {
  private let posix: PosixFile

  /// Makes an empty one; `path` is for messages.
  package init(path: String) throws(DiskError) {
    let fd = mk_memory_file()
    guard fd >= 0 else { throw DiskError(.map, path, code: -fd) }
    posix = PosixFile(path: path, fd: fd)
  }

  /// The file, open for as long as this object or anything made from it lives.
  package var file: any DiskFile { posix }

  /// Where the first bytes at or after `position` are that were written or touched through a
  /// mapping; nil where there are none.
  package func nextData(from position: Int) -> Int? {
    let found = mk_next_data(posix.fd, Int64(position))
    return found >= 0 ? Int(found) : nil
  }
}
