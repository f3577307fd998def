import Foundation

/// Where this package's own files and products stand.
enum Repository {
  /// The package's directory, without a slash at its end.
  static let root: String = {
    var url = URL(filePath: #filePath)
    for _ in 0..<3 { url.deleteLastPathComponent() }
    let path = url.path(percentEncoded: false)
    return path.hasSuffix("/") ? String(path.dropLast()) : path
  }()

  /// Where the products are: beside the test bundle. `MKSTORE_BIN` names another folder, such as a
  /// release build's.
  static let products: String =
    ProcessInfo.processInfo.environment["MKSTORE_BIN"]
    ?? URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    .path(percentEncoded: false)

  /// The text of a file, by its path from the root.
  static func text(_ path: String) throws -> String {
    try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
  }
}
