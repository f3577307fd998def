import DiskIO
import Glibc
import MkstoreBytes
import StoreTesting
import Testing

/// The two implementations of the seam: each rule below must hold for both.
enum DiskUnderTest: CaseIterable, CustomTestStringConvertible {
  case posix, simulated

  var testDescription: String {
    switch self {
    case .posix: "PosixDisk"
    case .simulated: "SimulatedDisk"
    }
  }

  /// Gives `body` a disk and a fresh directory on it.
  func withDirectory(_ body: (any Disk, String) throws -> Void) throws {
    switch self {
    case .posix:
      let directory = try TemporaryDirectory()
      defer { directory.remove() }
      try body(PosixDisk(), directory.path)
    case .simulated:
      let disk = SimulatedDisk(seed: 1)
      try disk.installDirectory("/base")
      try body(disk, "/base")
    }
  }
}

/// A directory of the real file system that the test owns.
struct TemporaryDirectory {
  let path: String

  init() throws {
    // Safe: mkdtemp writes into the array's own bytes and keeps their length.
    var template = Array("/tmp/mkstore-test-XXXXXX\0".utf8).map(CChar.init(bitPattern:))
    try #require(unsafe mkdtemp(&template) != nil)
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  func remove() {
    do {
      try Self.removeTree(path, PosixDisk())
    } catch {
      Issue.record("cannot remove \(path): \(error)")
    }
  }

  private static func removeTree(_ path: String, _ disk: PosixDisk) throws {
    for entry in try disk.list(path) {
      let child = "\(path)/\(entry.name)"
      if entry.kind == .directory { try removeTree(child, disk) } else { try disk.remove(child) }
    }
    try disk.removeDirectory(path)
  }
}

/// The error number that `body` throws, nil where it throws nothing.
func code(_ body: () throws -> Void) -> Int32? {
  failure(body)?.code
}

/// The `DiskError` that `body` throws, nil where it throws nothing.
func failure(_ body: () throws -> Void) -> DiskError? {
  do {
    try body()
    return nil
  } catch let error as DiskError {
    return error
  } catch {
    Issue.record("no DiskError: \(error)")
    return nil
  }
}

extension DiskFile {
  /// Up to `count` bytes from `position`.
  func bytes(_ count: Int, at position: Int = 0) throws(DiskError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xEE, count: count)
    var span = bytes.mutableSpan
    let got = try read(into: &span, at: position)
    return Array(bytes.prefix(got))
  }

  /// The whole file.
  func contents() throws(DiskError) -> [UInt8] {
    try bytes(try size())
  }

  func write(_ bytes: [UInt8], at position: Int = 0) throws(DiskError) {
    try write(bytes.span, at: position)
  }
}

extension Disk {
  /// A new file with this content, closed again.
  func put(_ path: String, _ bytes: [UInt8] = []) throws(DiskError) {
    try open(path, .create).write(bytes)
  }

  func contents(_ path: String) throws(DiskError) -> [UInt8] {
    try open(path, .read).contents()
  }

  func names(_ directory: String) throws(DiskError) -> [String] {
    try list(directory).map(\.name).sorted()
  }

  func isMissing(_ path: String) throws(DiskError) -> Bool {
    try status(path) == nil
  }
}
