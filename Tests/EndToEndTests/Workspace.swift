import Foundation

/// A directory of its own for one test, removed with the last reference.
final class Workspace: Sendable {
  let path: String

  init() throws {
    path = URL(filePath: NSTemporaryDirectory()).appending(path: "mkstore-\(UUID().uuidString)")
      .path(percentEncoded: false)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      print("could not remove \(path): \(error)")
    }
  }

  func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

  /// Names of a folder's files with an ending, sorted.
  static func files(in folder: String, endingIn suffix: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(suffix) }
      .sorted().map { "\(folder)/\($0)" }
  }
}
