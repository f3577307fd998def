import Foundation

/// Where this package's own files stand.
enum Repository {
  /// The package's directory, without a slash at its end.
  static let root: String = {
    var url = URL(filePath: #filePath)
    for _ in 0..<3 { url.deleteLastPathComponent() }
    let path = url.path(percentEncoded: false)
    return path.hasSuffix("/") ? String(path.dropLast()) : path
  }()
}
