import MkstoreBytes
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// What Kafka stores although the format forbids it is read, but never appended.
@Suite struct TolerantReadTests {
  /// A record with a key length of -2, which Kafka takes for null.
  func oddBatch() throws -> [UInt8] {
    var builder = RecordBatchBuilder()
    let isAdded = try builder.append(timestamp: 7, key: nil, value: [0x61])
    #expect(isAdded)
    let sealed = try builder.finish()
    var bytes = [UInt8](copying: sealed.span)
    // length, attributes, timestamp delta, offset delta, then the key's length: -1 is 01, -2 is 03.
    let keyLengthAt = BatchLayout.records + 4
    #expect(bytes[keyLengthAt] == 1)
    bytes[keyLengthAt] = 3
    let crc = CRC32C.checksum(bytes.span.extracting(BatchLayout.attributes...))
    var span = bytes.mutableSpan
    span.storeBigEndian(crc, at: BatchLayout.crc)
    return bytes
  }

  @Test func oddLengthsAreReadFromKafkasFilesAndRefusedOnAppend() throws {
    let disk = SimulatedDisk(seed: 5)
    var odd = try oddBatch()
    try disk.installDirectory("/s")
    try disk.installDirectory("/s/t-0")
    try disk.install("/s/t-0/00000000000000000000.log", odd)
    let log = try Log.openReadOnlyBlocking("/s/t-0", disk: disk)
    let reader = LogReader(log)
    let record = try #require(try reader.record(at: 0))
    #expect(record.key == nil)
    #expect(record.value == [0x61])
    var config = StoreConfig()
    config.startsFlusher = false
    let store = try Store.openBlocking("/s", config: config, disk: disk)
    let writable = try #require(store.log(try TopicPartition(topic: "t", partition: 0)))
    do {
      try writable.appendBlocking(batch: &odd)
      Issue.record("an odd batch was appended")
    } catch {
      guard case .invalidBatch = error.kind else { throw error }
    }
    #expect(writable.logEndOffset == 1)
  }
}
