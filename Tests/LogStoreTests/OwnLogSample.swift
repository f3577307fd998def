import DiskIO
import MkstoreBytes
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// A small log of this engine whose records hold what misleads a search for batches: whole batches
/// with the offsets that are expected next, and batches of a size that one bit of a length turns
/// into two of them.
struct OwnLogSample {
  static let config = CrashStore.config(segmentBytes: 560, indexIntervalBytes: 120)

  let disk: SimulatedDisk
  let content: [LogModel.Batch]
  /// Segments by path, each with the batches that it holds.
  let segments: [Segment]

  struct Segment {
    var path: String
    var bytes: [UInt8]
    /// Index in `content` and position of each batch.
    var batches: [(index: Int, position: Int)]
  }

  /// How the writer stopped.
  enum Stop: String, CaseIterable, Sendable {
    case clean, killed
  }

  init(_ stop: Stop) throws {
    let disk = SimulatedDisk(seed: 62)
    let store = try CrashStore(disk, Self.config)
    var model = LogModel()
    for batch in try Self.batches() { try store.append(batch, &model) }
    let content = try LogModel.content(of: store.log)
    let paths = store.log.store.state.segments.map { ($0.path(.log), $0.baseOffset) }
    if stop == .clean { try store.manager.closeBlocking() }
    let stopped = disk.kill()
    segments = try paths.enumerated().map { index, path in
      let end = index + 1 < paths.count ? paths[index + 1].1 : Int64.max
      var position = 0
      var batches: [(index: Int, position: Int)] = []
      for (index, batch) in content.enumerated()
      where batch.baseOffset >= path.1 && batch.baseOffset < end {
        batches.append((index, position))
        position += batch.bytes.count
      }
      return Segment(
        path: path.0, bytes: try #require(stopped.contents(of: path.0)), batches: batches)
    }
    self.disk = stopped
    self.content = content
  }

  private static func batches() throws -> [[UInt8]] {
    let twins = try (2...4).map { try twin(UInt8($0)) }
    return [
      SampleBatches.sealed([(CrashStore.nowMs, [1, 2, 3])]),
      // Its value holds the batch that belongs in its own place, and the one that follows.
      SampleBatches.sealed([(CrashStore.nowMs + 1, try inner(at: 1) + inner(at: 2))]),
      twins[0], twins[1], twins[2],
      // The same, up to its last byte.
      try withHeader(try inner(at: 5)),
      SampleBatches.sealed([
        (CrashStore.nowMs + 6, [6]), (CrashStore.nowMs + 3, [7, 7]), (CrashStore.nowMs + 8, []),
      ]),
      SampleBatches.sealed([(CrashStore.nowMs + 9, try inner(at: 9) + [0])]),
      try withHeader(try inner(at: 10)),
    ]
  }

  /// A whole batch as it would stand at an offset of the log.
  private static func inner(at offset: Int64) throws -> [UInt8] {
    try BatchSource.batch(baseOffset: offset, values: [[UInt8(offset)]])
  }

  /// A batch of 128 bytes: its length is 116, and 244 with one bit turned, which is that of two.
  private static func twin(_ value: UInt8) throws -> [UInt8] {
    let batch = SampleBatches.sealed([
      (CrashStore.nowMs + Int64(value), [UInt8](repeating: value, count: 59))
    ])
    try #require(batch.count == 128)
    return batch
  }

  /// A batch that ends with the value of its record's header.
  private static func withHeader(_ value: [UInt8]) throws -> [UInt8] {
    var builder = RecordBatchBuilder()
    let isAdded = try builder.append(
      timestamp: CrashStore.nowMs, key: nil, value: [0],
      headers: [RecordHeader(name: "h", value: value)])
    try #require(isAdded)
    let sealed = try builder.finish()
    return [UInt8](copying: sealed.span)
  }
}
