import Foundation

/// The repository's own files, as the tidy rules read them.
enum SourceTree {
  /// The package's directory, without a slash at its end.
  static let root: String = {
    var url = URL(filePath: #filePath)
    for _ in 0..<3 { url.deleteLastPathComponent() }
    let path = url.path(percentEncoded: false)
    return path.hasSuffix("/") ? String(path.dropLast()) : path
  }()

  /// Swift and C files of the product.
  static let sources = files(under: "Sources", suffixes: [".swift", ".c", ".h"])
  /// Everything that tests: files of the tests, the fuzz targets, the benchmarks and the examples.
  static let tests = ["Tests", "Fuzz/Sources", "Benchmarks", "Examples"].flatMap {
    files(under: $0, suffixes: [".swift", ".c", ".h", ".py"])
  }
  /// Documents for people.
  static let documents =
    files(under: "docs", suffixes: [".md"]) + files(under: "Sources", suffixes: [".md"])
    + ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].compactMap(file)
  /// Scripts and settings.
  static let scripts =
    files(under: "tools", suffixes: [""]) + files(under: ".ci", suffixes: [""])
    + ["Package.swift"].compactMap(file)

  /// One file by its path from the root; nil where there is none.
  static func file(_ path: String) -> SourceFile? {
    guard let data = FileManager.default.contents(atPath: "\(root)/\(path)") else { return nil }
    return SourceFile(path: path, text: String(decoding: data, as: UTF8.self))
  }

  /// Whether a file or directory stands at a path from the root.
  static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: "\(root)/\(path)")
  }

  /// The files of a folder and of the folders in it, but for build products and fixtures.
  private static func files(under folder: String, suffixes: [String]) -> [SourceFile] {
    guard let names = FileManager.default.enumerator(atPath: "\(root)/\(folder)") else { return [] }
    var result: [SourceFile] = []
    for case let name as String in names {
      let parts = name.split(separator: "/")
      if parts.contains(where: { [".build", "Fixtures", "corpus", "artifacts"].contains($0) }) {
        continue
      }
      guard suffixes.contains(where: name.hasSuffix),
        names.fileAttributes?[.type] as? FileAttributeType == .typeRegular,
        let file = file("\(folder)/\(name)")
      else { continue }
      result.append(file)
    }
    return result.sorted { $0.path < $1.path }
  }
}
