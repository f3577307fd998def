package import DiskIO

/// Whole files that are read and replaced as a unit: checkpoints, properties, snapshots.
package enum SmallFile {
  /// Largest file that is read; a checkpoint of 60,000 partitions with the longest names fits.
  package static let bytesMax = 16 << 20

  /// The content of a file; nil if there is none.
  ///
  /// - Throws: `.unreadable` if the file has more than `limit` bytes.
  package static func read(
    _ disk: any Disk, _ path: String, limit: Int = bytesMax
  ) throws(CheckpointError) -> [UInt8]? {
    try open(disk, path, limit) { (file, size) throws(DiskError) in try content(file, size) }
  }

  /// The same, with the identity of the file that was read.
  static func readWithBirth(
    _ disk: any Disk, _ path: String
  ) throws(CheckpointError) -> (bytes: [UInt8], birth: FileBirth?)? {
    try open(disk, path, bytesMax) { (file, size) throws(DiskError) in
      (try content(file, size), try file.birth())
    }
  }

  private static func open<Content>(
    _ disk: any Disk, _ path: String, _ limit: Int,
    _ read: (any DiskFile, _ size: Int) throws(DiskError) -> Content
  ) throws(CheckpointError) -> Content? {
    let found: Content?
    let size: Int
    do throws(DiskError) {
      guard let file = try disk.openIfPresent(path) else { return nil }
      size = try file.size()
      found = size <= limit ? try read(file, size) : nil
    } catch  where error.isNoFile {
      return nil
    } catch {
      throw .disk(error)
    }
    if let found { return found }
    throw .unreadable(path: path, line: nil, what: "\(size) bytes, at most \(limit) are read")
  }

  /// Replaces a file so that a crash leaves the old content or the new, never a mixture.
  ///
  /// Written as `<name>.tmp`, synced, renamed, and the directory synced: durable on return.
  static func writeAtomically(
    _ disk: any Disk, directory: String, name: String, _ bytes: [UInt8]
  ) throws(DiskError) {
    let file = try createReplacement(disk, directory: directory, name: name)
    try finishReplacement(file, disk, directory: directory, name: name, bytes)
  }

  /// Creates `<name>.tmp` for a replacement whose content names its own file.
  static func createReplacement(
    _ disk: any Disk, directory: String, name: String
  ) throws(DiskError) -> any DiskFile {
    let temporary = "\(directory)/\(name).tmp"
    // Left by a crash between create and rename; never read.
    if try disk.status(temporary) != nil { try disk.remove(temporary) }
    return try disk.open(temporary, .create)
  }

  /// Writes the content and renames the file to `name`, as `writeAtomically` does.
  static func finishReplacement(
    _ file: any DiskFile, _ disk: any Disk, directory: String, name: String, _ bytes: [UInt8]
  ) throws(DiskError) {
    try file.write(bytes.span, at: 0)
    try file.sync()
    try disk.rename("\(directory)/\(name).tmp", to: "\(directory)/\(name)")
    try disk.syncDirectory(directory)
  }

  private static func content(_ file: any DiskFile, _ size: Int) throws(DiskError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: size)
    var target = bytes.mutableSpan
    let count = try file.read(into: &target, at: 0)
    if count < size { bytes.removeLast(size - count) }
    return bytes
  }
}
