import MkstoreBytes
import MkstoreProtocol
import RecordFormat
import Testing

/// Batches and requests that tests send.
enum TestBatch {
  /// A sealed batch of the values.
  static func make(
    _ values: [String], compression: Compression = .none, timestamp: Int64 = 1_700_000_000_000,
    options: BatchOptions = BatchOptions()
  ) throws -> [UInt8] {
    try make(values.map { ($0, timestamp) }, compression: compression, options: options)
  }

  /// A sealed batch of records, each with its own time.
  static func make(
    _ records: [(value: String, timestamp: Int64)], compression: Compression = .none,
    options: BatchOptions = BatchOptions()
  ) throws -> [UInt8] {
    var builder = RecordBatchBuilder(compression: compression)
    for (value, timestamp) in records {
      _ = try builder.append(
        timestamp: timestamp, key: nil, value: Array(value.utf8).span, headers: [])
    }
    let span = try builder.finish(options)
    var bytes = [UInt8](repeating: 0, count: span.count)
    for index in bytes.indices { bytes[index] = span[index] }
    return bytes
  }
}

extension Response {
  /// The body, which is to be of this type.
  func body<Body>(as _: Body.Type) throws -> Body {
    try #require(Mirror(reflecting: body).children.first?.value as? Body, "\(body.api)")
  }
}

extension TestClient {
  /// Creates a topic.
  func create(_ topic: String, partitions: Int32 = 1, configs: [String: String] = [:]) throws {
    let answer = try ask(
      .createTopics(
        .with { request in
          request.topics = [
            .with { asked in
              asked.name = topic
              asked.numPartitions = partitions
              asked.replicationFactor = 1
              asked.configs = configs.map { name, value in
                .with {
                  $0.name = name
                  $0.value = value
                }
              }
            }
          ]
        }), version: 7)
    let body = try answer.body(as: CreateTopicsResponse.self)
    #expect(body.topics.map(\.errorCode) == [.none])
  }

  /// A produce request of one partition; `records` nil sends null.
  static func produceRequest(
    _ topic: String, _ partition: Int32 = 0, acks: Int16 = -1, byteCount: Int?,
    transactionalId: String? = nil
  ) -> RequestBody {
    .produce(
      .with { request in
        request.acks = acks
        request.timeoutMs = 30_000
        request.transactionalId = transactionalId
        request.topicData = [
          .with {
            $0.name = topic
            $0.partitionData = [
              .with {
                $0.index = partition
                $0.records = byteCount.map { ByteRange(offset: 0, count: $0) }
              }
            ]
          }
        ]
      })
  }

  /// Produces to one partition and gives its result.
  func produce(
    _ topic: String, _ batch: [UInt8], partition: Int32 = 0, acks: Int16 = -1,
    version: Int16 = 9
  ) throws -> ProduceResponse.Topic.Partition {
    let answer = try ask(
      Self.produceRequest(topic, partition, acks: acks, byteCount: batch.count), version: version,
      records: batch)
    let body = try answer.body(as: ProduceResponse.self)
    return try #require(body.responses.first?.partitionResponses.first)
  }

  /// A fetch request of one partition.
  static func fetchRequest(
    _ topic: String, _ partition: Int32 = 0, from offset: Int64, maxWaitMs: Int32 = 0,
    minBytes: Int32 = 1, maxBytes: Int32 = 50 << 20, partitionMaxBytes: Int32 = 1 << 20,
    isolationLevel: Int8 = 0
  ) -> FetchRequest {
    .with { request in
      request.maxWaitMs = maxWaitMs
      request.minBytes = minBytes
      request.maxBytes = maxBytes
      request.isolationLevel = isolationLevel
      request.topics = [
        .with {
          $0.topic = topic
          $0.partitions = [
            .with {
              $0.partition = partition
              $0.fetchOffset = offset
              $0.partitionMaxBytes = partitionMaxBytes
            }
          ]
        }
      ]
    }
  }

  /// Fetches and gives the result of the first partition with its records' bytes.
  func fetch(_ request: FetchRequest, version: Int16 = 12) throws -> (
    partition: FetchResponse.Topic.Partition, records: [UInt8]
  ) {
    try send(.fetch(request), version: version)
    return try takeFetch(version: version)
  }

  /// Takes the answer to a fetch.
  func takeFetch(version: Int16 = 12) throws -> (
    partition: FetchResponse.Topic.Partition, records: [UInt8]
  ) {
    let (response, frame) = try takeAnswer(.fetch, version: version)
    let body = try response.body(as: FetchResponse.self)
    let partition = try #require(body.responses.first?.partitions.first)
    let range = try #require(partition.records).range
    return (partition, Array(frame[range]))
  }
}

/// The values of the records in some batches.
func values(of batches: [UInt8]) throws -> [String] {
  var found: [String] = []
  var decoder = RecordDecoder()
  var position = 0
  while position < batches.count {
    let rest = batches.span.extracting(position..<batches.count)
    let header = try BatchHeader(rest)
    let batch = try RecordBatch(rest.extracting(first: header.byteCount))
    try batch.checkCRC()
    try batch.forEachRecord(&decoder) { record throws(BatchError) in
      found.append(
        Record(copying: record).value.map { String(decoding: $0, as: UTF8.self) } ?? "null")
      return true
    }
    position += header.byteCount
  }
  return found
}
