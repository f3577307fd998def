import Foundation

/// A directory of its own for one test, removed with this value.
final class TemporaryDirectory: Sendable {
  /// Its path, without a slash at its end.
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "mkstore-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      print("\(path) could not be removed: \(error)")
    }
  }

  /// Path of a name in it.
  func path(_ name: String) -> String { "\(path)/\(name)" }

  /// Writes a file and gives its path.
  func file(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
    try Data(bytes).write(to: URL(filePath: path(name)))
    return path(name)
  }

  /// Copies a directory tree, writable, and gives its path.
  func copy(_ source: String, to name: String) throws -> String {
    try FileManager.default.copyItem(atPath: source, toPath: path(name))
    let walk = FileManager.default.enumerator(atPath: path(name))
    for case let entry as String in walk ?? .init() {
      try FileManager.default.setAttributes(
        [.posixPermissions: 0o750], ofItemAtPath: "\(path(name))/\(entry)")
    }
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o750], ofItemAtPath: path(name))
    return path(name)
  }
}
