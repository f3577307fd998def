import Foundation

/// Partition directories that Kafka itself wrote: the copies in Tests/Fixtures, and the whole set
/// where it is there (`MKSTORE_SHARED`, else `../shared` beside the package).
enum KafkaVectors {
  private static let root: String = {
    var url = URL(filePath: #filePath)
    for _ in 0..<3 { url.deleteLastPathComponent() }
    return url.path(percentEncoded: false)
  }()

  /// Paths of the partition directories, those with flipped bits left out.
  static let directories: [String] = {
    let shared = ProcessInfo.processInfo.environment["MKSTORE_SHARED"] ?? "\(root)/../shared"
    let places = ["\(shared)/vectors/kafka", "\(root)/Tests/Fixtures/kafka"]
    let place = places.first { FileManager.default.fileExists(atPath: $0) } ?? ""
    return names(in: place).filter { !$0.contains("bitflip") }.flatMap { folder in
      names(in: "\(place)/\(folder)").filter { $0.hasSuffix("-0") }
        .map { "\(place)/\(folder)/\($0)" }
    }
  }()

  static func names(in path: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? []
  }

  static func bytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: path)))
  }
}
