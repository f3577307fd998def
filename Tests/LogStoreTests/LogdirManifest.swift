import Foundation

/// What vectors/logdir/manifest.json says of each directory, all of it checked with Kafka's own
/// dump tool.
struct LogdirManifest: Decodable {
  struct File: Decodable {
    var preallocated: Bool?
    var entries: Entries?
    var producers: [Producer]?
    var text: String?
  }

  /// Pairs for the indexes, objects for aborted transactions.
  enum Entries: Decodable {
    case pairs([[Int64]])
    case aborted([Aborted])

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      do {
        self = .pairs(try container.decode([[Int64]].self))
      } catch {
        self = .aborted(try container.decode([Aborted].self))
      }
    }
  }

  struct Aborted: Decodable {
    var producerId: Int64
    var firstOffset: Int64
    var lastOffset: Int64
    var lastStableOffset: Int64
  }

  struct Producer: Decodable {
    var producerId: Int64
    var producerEpoch: Int16
    var lastSequence: Int32
    var lastOffset: Int64
    var offsetDelta: Int32
    var timestamp: Int64
    var coordinatorEpoch: Int32
    var currentTxnFirstOffset: Int64
  }

  struct Segment: Decodable {
    var baseOffset: Int64
    var bytes: Int
    var batches: [Batch]
  }

  struct Batch: Decodable {
    var position: Int
    var size: Int
    var baseOffset: Int64
    var lastOffset: Int64
    var records: Int
  }

  var path: String
  var files: [String: File]
  var segments: [Segment]
  var logEndOffset: Int64

  /// Every directory.
  static func all() throws -> [LogdirManifest] {
    let bytes = try Data(contentsOf: URL(filePath: SharedVectors.logdir + "/manifest.json"))
    return try JSONDecoder().decode([LogdirManifest].self, from: bytes)
  }

  /// Path of the directory.
  var directory: String { "\(SharedVectors.logdir)/\(path)" }
}
