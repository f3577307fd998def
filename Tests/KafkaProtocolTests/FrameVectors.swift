import Foundation
import Testing

/// Finds and reads captured frames: the repository's own, and a larger shared set if there is one.
enum FrameVectors {
  /// One captured exchange.
  struct Exchange: CustomTestStringConvertible, Sendable {
    let path: String
    var testDescription: String { String(path.split(separator: "/").last ?? "") }

    var json: JSONValue {
      get throws { try JSONValue.parse(try FrameVectors.data(path + ".json")) }
    }
    /// A Produce request with acks=0 has no answer.
    var isAnswered: Bool { FileManager.default.fileExists(atPath: path + ".rsp.bin") }

    var request: [UInt8] { get throws { [UInt8](try FrameVectors.data(path + ".req.bin")) } }
    var response: [UInt8] { get throws { [UInt8](try FrameVectors.data(path + ".rsp.bin")) } }
  }

  static let fixtures: String = {
    let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    return tests.appending(path: "Fixtures/frames").path
  }()

  /// The shared set's directory, if there is one: `MKSTORE_SHARED`, else beside the package.
  static let shared: String? = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let base = ProcessInfo.processInfo.environment["MKSTORE_SHARED"] ?? root.path + "/shared"
    let frames = base + "/vectors/frames"
    return FileManager.default.fileExists(atPath: frames) ? frames : nil
  }()

  static let all: [Exchange] = [fixtures, shared].compactMap { $0 }.flatMap(exchanges)

  /// The exchanges of the repository's own set.
  static let own: [Exchange] = exchanges(in: fixtures)

  static func exchanges(in directory: String) -> [Exchange] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return names.sorted().filter { $0.hasSuffix(".json") }.map {
      Exchange(path: directory + "/" + $0.dropLast(5))
    }
  }

  static func data(_ path: String) throws -> Data {
    try Data(contentsOf: URL(filePath: path))
  }
}
