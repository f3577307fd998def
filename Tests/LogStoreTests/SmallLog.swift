import DiskIO
import LogStore
import StoreTesting

/// A directory of vectors/logdir on a simulated disk, to be damaged.
struct SmallLog {
  /// What the manifest says of it.
  let manifest: LogdirManifest
  /// Where it stands on the disk.
  let path: String
  /// Content of each file by name.
  let files: [String: [UInt8]]
  private let topicPartition: String

  /// Loads `clean/<name>`.
  init(_ name: String) throws {
    let manifest = try requireOne(LogdirManifest.all().filter { $0.path == "clean/\(name)" })
    self.manifest = manifest
    topicPartition = name
    path = "/store/\(name)"
    var files: [String: [UInt8]] = [:]
    for file in manifest.files.keys {
      files[file] = try SharedVectors.bytes("\(manifest.directory)/\(file)")
    }
    self.files = files
  }

  /// A fresh disk that holds the log, with some files replaced (nil: missing) and, if asked for,
  /// the store's clean-shutdown mark.
  func disk(replacing: [String: [UInt8]?] = [:], isClean: Bool) throws -> SimulatedDisk {
    let disk = SimulatedDisk()
    for (name, bytes) in files {
      if let other = replacing[name] {
        if let other { try disk.install("\(path)/\(name)", other) }
      } else {
        try disk.install("\(path)/\(name)", bytes)
      }
    }
    if isClean { try disk.install("/store/\(CleanShutdownFile.name)", []) }
    return disk
  }

  /// Name of a segment's file.
  func logName(_ segment: LogdirManifest.Segment) -> String {
    SegmentName(segment.baseOffset, .log).fileName
  }
}

/// The only element; an error where there is another number of them.
private func requireOne<T>(_ values: [T]) throws -> T {
  guard values.count == 1 else { throw WrongCount(count: values.count) }
  return values[0]
}

private struct WrongCount: Error {
  var count: Int
}
