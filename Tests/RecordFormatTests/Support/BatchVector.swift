import Foundation

/// What a vector's JSON says of its bytes.
struct BatchVector: Decodable {
  struct Batch: Decodable {
    struct Attributes: Decodable {
      var raw: Int16
      var codec: String
      var timestampType: String
      var transactional: Bool
      var control: Bool
      var deleteHorizon: Bool
    }
    struct Header: Decodable {
      var key: String?
      var keyB64: Data?
      var value: Field?
    }
    struct Record: Decodable {
      var offset: Int64
      var offsetDelta: Int32
      var timestamp: Int64
      var timestampDelta: Int64
      var attributes: Int
      var length: Int
      var key: Field?
      var value: Field?
      var headers: [Header]
    }
    var position: Int
    var baseOffset: Int64
    var batchLength: Int
    var partitionLeaderEpoch: Int32
    var magic: Int8
    var crc: String
    var lastOffsetDelta: Int32
    var baseTimestamp: Int64
    var maxTimestamp: Int64
    var producerId: Int64
    var producerEpoch: Int16
    var baseSequence: Int32
    var recordCount: Int32
    var attributes: Attributes
    var recordsBytesUncompressed: Int
    var records: [Record]
  }

  /// Bytes in full, or their length and hash.
  enum Field: Decodable, Equatable {
    case bytes(Data)
    case digest(length: Int, sha256: String)

    private enum Key: CodingKey { case length, sha256 }

    init(from decoder: any Decoder) throws {
      if let whole = try? decoder.singleValueContainer().decode(Data.self) {
        self = .bytes(whole)
      } else {
        let parts = try decoder.container(keyedBy: Key.self)
        self = .digest(
          length: try parts.decode(Int.self, forKey: .length),
          sha256: try parts.decode(String.self, forKey: .sha256))
      }
    }

    func matches(_ bytes: [UInt8]?) -> Bool {
      guard let bytes else { return false }
      switch self {
      case .bytes(let whole): return bytes.elementsEqual(whole)
      case .digest(let length, let sha256):
        return bytes.count == length && SHA256.hex(bytes) == sha256
      }
    }
  }

  struct Expectation: Decodable {
    var decode: String
    var produce: String
    var wholeGoodBatchesFirst: Int?
    var goodBytes: Int?
  }

  var name: String
  var kind: String
  var bytes: Int
  var acceptableFromProducer: Bool?
  var goodBytes: Int?
  var partialTailBytes: Int?
  var batches: [Batch]?
  var expect: Expectation?

  init(_ vector: URL) throws {
    let json = try Data(contentsOf: vector.appendingPathExtension("json"))
    self = try JSONDecoder().decode(BatchVector.self, from: json)
  }
}
