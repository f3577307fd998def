import Foundation

/// Where the tests find what Kafka itself wrote: the copies in Tests/Fixtures always, and the whole
/// set where it is there (`MKSTORE_SHARED`, else `../shared` beside the package).
enum SharedVectors {
  /// The package's directory.
  static let packageRoot: String = {
    var url = URL(filePath: #filePath)
    for _ in 0..<3 { url.deleteLastPathComponent() }
    return url.path(percentEncoded: false).trimmingSuffix("/")
  }()

  /// The copies in the package.
  static let fixtures = packageRoot + "/Tests/Fixtures"

  /// The whole set, or nil.
  static let shared: String? = {
    let named = ProcessInfo.processInfo.environment["MKSTORE_SHARED"]
    let path = named ?? packageRoot + "/../shared"
    return exists(path + "/vectors") ? path : nil
  }()

  /// Every directory `vectors/kafka/<name>` that has a records.jsonl: of the whole set where it is
  /// there, else of the copies.
  static let kafkaDirectories: [String] = directories(
    in: shared.map { $0 + "/vectors/kafka" } ?? fixtures + "/kafka"
  ).filter { exists($0 + "/records.jsonl") }

  /// A directory of vectors/kafka that is among the copies.
  static func kafka(_ name: String) -> String { "\(fixtures)/kafka/\(name)" }

  /// vectors/logdir.
  static let logdir = fixtures + "/logdir"

  static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path)
  }

  static func bytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: path)))
  }

  static func names(in path: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }

  private static func directories(in path: String) -> [String] {
    do {
      return try names(in: path).map { "\(path)/\($0)" }
    } catch {
      return []
    }
  }
}

extension String {
  fileprivate func trimmingSuffix(_ suffix: String) -> String {
    hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
  }
}
