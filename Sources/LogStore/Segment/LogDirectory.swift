package import DiskIO

/// A partition's directory on a disk, through which every part of a log reaches its files.
package struct LogDirectory: Sendable {
  package let disk: any Disk
  /// Path of the directory, without a trailing slash.
  package let path: String
  /// Whether indexes are mapped, rather than read and written by system calls.
  package let mapsIndexes: Bool

  package init(disk: any Disk, path: String, mapsIndexes: Bool = false) {
    self.disk = disk
    self.path = path
    self.mapsIndexes = mapsIndexes
  }

  /// Path of a file in it.
  package func path(_ name: String) -> String { "\(path)/\(name)" }
}
