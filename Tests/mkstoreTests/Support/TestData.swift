import Foundation

/// Real data for the tests: copies in the package always, the shared collection where it is there.
enum TestData {
  /// Tests/Fixtures.
  static let fixtures = Repository.root + "/Tests/Fixtures"

  /// The collection: `MKSTORE_SHARED`, or `shared` beside the package; nil where there is none.
  static let shared: String? = {
    let named = ProcessInfo.processInfo.environment["MKSTORE_SHARED"]
    let path = named ?? Repository.root + "/../shared"
    return FileManager.default.fileExists(atPath: path + "/vectors") ? path : nil
  }()

  /// Flights of two days: 1,924 records.
  static let flights = fixtures + "/data/flights-small.ndjson"

  /// Flights of eight weeks, where the collection is there.
  static let manyFlights: String? = shared.map { $0 + "/data/flights-large.ndjson" }

  /// The format that gives a line of the flights back as it was.
  static let flightsFormat = #"{"key":%k{json},"timestamp":%T,"value":%s}\n"#

  /// Every directory with a records.jsonl: of the whole collection, else of the copies.
  static let kafkaDirectories: [String] = {
    let parent = shared.map { $0 + "/vectors/kafka" } ?? fixtures + "/kafka"
    return names(in: parent).map { "\(parent)/\($0)" }.filter {
      FileManager.default.fileExists(atPath: $0 + "/records.jsonl")
    }
  }()

  /// Those that hold what Kafka's dump tool printed.
  static let dumpedDirectories = kafkaDirectories.filter {
    FileManager.default.fileExists(atPath: $0 + "/dump.txt")
  }

  /// The log in one of them.
  static func log(in directory: String) -> String {
    let name = names(in: directory).first { $0.hasSuffix("-0") }
    return "\(directory)/\(name ?? "none")"
  }

  /// A copied directory.
  static func kafka(_ name: String) -> String { log(in: "\(fixtures)/kafka/\(name)") }

  static func names(in path: String) -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    } catch {
      return []
    }
  }

  static func content(_ path: String) throws -> Data {
    try Data(contentsOf: URL(filePath: path))
  }

  static func lines(_ path: String) throws -> [String] {
    String(decoding: try content(path), as: UTF8.self).split(separator: "\n").map(String.init)
  }
}
