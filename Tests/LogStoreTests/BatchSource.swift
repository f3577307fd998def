import RecordFormat

/// Batches for tests that need bytes of a certain shape; their content is not compared with
/// anything.
enum BatchSource {
  /// One batch of records with these values.
  static func batch(
    baseOffset: Int64, values: [[UInt8]], timestamp: Int64 = 1_700_000_000_000, epoch: Int32 = 0
  ) throws -> [UInt8] {
    var builder = RecordBatchBuilder(batchBytes: 64 << 20)
    for value in values {
      guard try builder.append(timestamp: timestamp, key: nil, value: value) else {
        throw BatchError.tooLarge(byteCount: value.count, limit: 64 << 20)
      }
    }
    var bytes = try builder.finish()
    assignOffset(&bytes, baseOffset: baseOffset, leaderEpoch: epoch)
    var copy: [UInt8] = []
    copy.reserveCapacity(bytes.count)
    for index in bytes.indices { copy.append(bytes[index]) }
    return copy
  }

  /// Batches of one record of `valueBytes` bytes each, at consecutive offsets.
  static func batches(from baseOffset: Int64, count: Int, valueBytes: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    for index in 0..<count {
      let value = [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: valueBytes)
      bytes += try batch(baseOffset: baseOffset + Int64(index), values: [value])
    }
    return bytes
  }
}
