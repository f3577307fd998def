import Foundation

/// Where test vectors are: those in the repository, and all of them where the big collection is.
enum SharedVectors {
  /// The package's own directory.
  static let packageRoot = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The collection: `MKSTORE_SHARED`, or `shared` beside the package; nil where there is none.
  static let root: URL? = {
    let named = ProcessInfo.processInfo.environment["MKSTORE_SHARED"].map {
      URL(fileURLWithPath: $0)
    }
    let beside = packageRoot.deletingLastPathComponent().appendingPathComponent("shared")
    let candidate = named ?? beside
    let probe = candidate.appendingPathComponent("vectors")
    return FileManager.default.fileExists(atPath: probe.path) ? candidate : nil
  }()

  /// Directories of batch vectors of one sort, the repository's first.
  static func batchDirectories(_ sort: String) -> [URL] {
    let fixtures = packageRoot.appendingPathComponent("Tests/Fixtures/batches/\(sort)")
    let shared = root?.appendingPathComponent("vectors/batches/\(sort)")
    return [fixtures] + (shared.map { [$0] } ?? [])
  }

  /// Paths without suffix of all batch vectors of one sort, each name once, sorted. A directory
  /// that cannot be read counts as empty: a test says how many there must be.
  static func batchVectors(_ sort: String) -> [URL] {
    var byName: [String: URL] = [:]
    for directory in batchDirectories(sort) {
      let files = try? FileManager.default.contentsOfDirectory(atPath: directory.path)
      for file in files ?? [] where file.hasSuffix(".json") {
        let name = String(file.dropLast(5))
        byName[name] = directory.appendingPathComponent(name)
      }
    }
    return byName.sorted { $0.key < $1.key }.map(\.value)
  }

  /// Bytes of a vector.
  static func bytes(_ vector: URL) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: vector.appendingPathExtension("bin")))
  }

  /// A vector of the repository by name.
  static func fixture(_ name: String) throws -> [UInt8] {
    try bytes(packageRoot.appendingPathComponent("Tests/Fixtures/batches/\(name)"))
  }
}
