/// Requests of Kafka's protocol as bytes, in versions that any broker from 2.1 to 4.x takes.
///
/// Written by hand so that the load generator shares no code with the server it measures.
struct FrameBytes {
  private(set) var bytes: [UInt8] = [0, 0, 0, 0]

  /// Begins a request with the header of version 1.
  init(api: Int16, version: Int16) {
    put(api)
    put(version)
    put(Int32(0))  // correlation id: answers come in order
    put("mkstore-bench")
  }

  mutating func put<T: FixedWidthInteger>(_ value: T) {
    for shift in stride(from: T.bitWidth - 8, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> T(shift)))
    }
  }

  mutating func put(_ text: String) {
    put(Int16(text.utf8.count))
    bytes += Array(text.utf8)
  }

  /// The frame; `following` bytes come behind it that are sent from elsewhere.
  mutating func finished(following: Int = 0) -> [UInt8] {
    let size = UInt32(bytes.count - 4 + following).bigEndian
    withUnsafeBytes(of: size) { source in
      for index in 0..<4 { bytes[index] = source[index] }
    }
    return bytes
  }
}

enum KafkaFrames {
  /// Produce v7, without the batch that ends it.
  static func produce(_ topic: String, _ partition: Int, acks: Int16, batchBytes: Int) -> [UInt8] {
    var frame = FrameBytes(api: 0, version: 7)
    frame.put(Int16(-1))  // no transaction
    frame.put(acks)
    frame.put(Int32(30_000))
    frame.put(Int32(1))
    frame.put(topic)
    frame.put(Int32(1))
    frame.put(Int32(partition))
    frame.put(Int32(batchBytes))
    return frame.finished(following: batchBytes)
  }

  /// Where the error of a produce answer's only partition stands, behind the frame's size.
  static func produceErrorPosition(_ topic: String) -> Int { 18 + topic.utf8.count }

  /// Fetch v11 of one partition, and where its fetch offset stands.
  static func fetch(
    _ topic: String, _ partition: Int, maxBytes: Int, maxWaitMs: Int = 500
  ) -> (frame: [UInt8], offsetPosition: Int) {
    var frame = FrameBytes(api: 1, version: 11)
    frame.put(Int32(-1))
    frame.put(Int32(maxWaitMs))
    frame.put(Int32(1))
    frame.put(Int32(maxBytes))
    frame.put(Int8(0))
    frame.put(Int32(0))
    frame.put(Int32(-1))
    frame.put(Int32(1))
    frame.put(topic)
    frame.put(Int32(1))
    frame.put(Int32(partition))
    frame.put(Int32(-1))
    let position = frame.bytes.count
    frame.put(Int64(0))
    frame.put(Int64(-1))
    frame.put(Int32(maxBytes))
    frame.put(Int32(0))
    frame.put("")
    return (frame.finished(), position)
  }

  /// Where the error of a fetch answer's only partition stands, behind the frame's size.
  static func fetchErrorPosition(_ topic: String) -> Int { 28 + topic.utf8.count }
  /// Where the byte count of the records stands: no transactions are answered.
  static func fetchRecordsPosition(_ topic: String) -> Int { 62 + topic.utf8.count }

  static func createTopic(_ topic: String, partitions: Int) -> [UInt8] {
    var frame = FrameBytes(api: 19, version: 2)
    frame.put(Int32(1))
    frame.put(topic)
    frame.put(Int32(partitions))
    frame.put(Int16(1))
    frame.put(Int32(0))
    frame.put(Int32(0))
    frame.put(Int32(60_000))
    frame.put(Int8(0))
    return frame.finished()
  }

  static func deleteTopic(_ topic: String) -> [UInt8] {
    var frame = FrameBytes(api: 20, version: 1)
    frame.put(Int32(1))
    frame.put(topic)
    frame.put(Int32(60_000))
    return frame.finished()
  }
}

extension Array where Element == UInt8 {
  /// A big-endian number of an answer.
  func number<T: FixedWidthInteger>(_: T.Type, at position: Int) -> T {
    var value: T = 0
    for index in 0..<T.bitWidth / 8 { value = value << 8 | T(self[position + index]) }
    return value
  }
}
