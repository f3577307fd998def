package import DiskIO

/// A partition's directory on a disk: what every part of a log needs to reach its files.
package struct LogDirectory: Sendable {
  package let disk: any Disk
  /// Path of the directory, without a trailing slash.
  package let path: String
  /// Guards the mappings of files in it.
  package let gate = MappingGate()

  package init(disk: any Disk, path: String) {
    self.disk = disk
    self.path = path
  }

  /// Path of a file in it.
  package func path(_ name: String) -> String { "\(path)/\(name)" }
}
