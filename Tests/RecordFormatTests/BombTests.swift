import Foundation
import RecordFormat
import Testing

/// Small batches that inflate far are refused with less than 8 MiB of memory. Each case runs in a
/// process of its own, so that nothing else counts (P23).
@Suite(.serialized) struct BombTests {
  static let memoryMax = 8 << 20

  static let bombs = SharedVectors.batchVectors("invalid")
    .filter { $0.lastPathComponent.hasPrefix("bomb-") || $0.path.contains("-claims-huge") }
    .map(\.path)

  @Test func thereAreBombsOfEachCodec() {
    for codec in ["gzip", "lz4", "zstd", "snappy"] {
      #expect(BombTests.bombs.contains { $0.contains("-\(codec)") || $0.contains("\(codec)-") })
    }
  }

  @Test(arguments: bombs)
  func aBombIsRefusedInLittleMemory(path: String) async {
    await #expect(processExitsWith: .success) { [path] in
      let bytes = try SharedVectors.bytes(URL(fileURLWithPath: path))
      try requireRefused(bytes, path)
    }
  }

  /// Seventy valid records of 1 MiB each, in framed snappy blocks of one record.
  @Test func aWellFormedSnappyBombIsRefused() async {
    await #expect(processExitsWith: .success) {
      let blocks = (0..<70).map { snappyBlock(zeroRecord(offsetDelta: UInt8($0)), 1 << 20) }
      var payload: [UInt8] = [0x82, 0x53, 0x4E, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]
      for block in blocks {
        payload += (0..<4).map { UInt8(truncatingIfNeeded: block.count >> (24 - 8 * $0)) } + block
      }
      let bytes = batch(codec: .snappy, payload: payload, recordCount: 70)
      try requireRefused(bytes, "framed snappy")
      let largest = try records(
        batch(codec: .snappy, payload: Array(payload[..<(20 + blocks[0].count)]), recordCount: 1))
      try require(largest[0].value?.count == (1 << 20) - 13, "the first block alone is sound")
    }
  }

  /// A frame that states its size, beyond the limit.
  @Test func aFrameThatStatesTooMuchIsRefused() async {
    await #expect(processExitsWith: .success) {
      let value = [UInt8](repeating: 7, count: 1 << 20)
      let bytes = try batch(
        of: (0..<65).map { Record(offset: $0, timestamp: 0, key: nil, value: value) },
        compression: .zstd)
      try requireRefused(bytes, "zstd with content size")
    }
  }

  @Test(arguments: CompressionCodec.allCases.filter { $0 != .none })
  func theLimitIsExact(codec: CompressionCodec) throws {
    let name = "valid/codec-\(codec)-blocks"
    let vector = try #require(
      SharedVectors.batchVectors("valid").first { $0.path.contains(name) })
    let bytes = try SharedVectors.bytes(vector)
    let size = try #require(try BatchVector(vector).batches?.first?.recordsBytesUncompressed)
    for (limit, isRead) in [(size - 1, false), (size, true), (size + 1, true)] {
      var decoder = RecordDecoder(decompressedBytesMax: limit)
      do throws(BatchError) {
        try RecordBatch(bytes.span).validate(.stored, decoder: &decoder)
        #expect(isRead)
      } catch {
        #expect(!isRead && error == .inflatesTooFar(codec, limit: limit))
      }
    }
  }
}

/// Ends the process where a claim is false: what an exit test sees.
private func require(_ claim: Bool, _ text: String) throws {
  if !claim {
    print("FAILED: \(text)")
    exit(1)
  }
}

private func requireRefused(_ bytes: [UInt8], _ name: String) throws {
  // Once before, so that what the codecs allocate for good does not count as the bomb's.
  _ = fault(bytes)
  try Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
  let before = try peakBytes()
  try require(fault(bytes) != nil, "\(name) was read")
  let used = try peakBytes() - before
  try require(used < BombTests.memoryMax, "\(name) took \(used) bytes")
}

/// The most memory that this process had since the mark was reset.
private func peakBytes() throws -> Int {
  let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
  let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
  let digits = line?.split(whereSeparator: \.isWhitespace)[1]
  return (digits.flatMap { Int($0) } ?? Int.max / 2048) * 1024
}

/// How a record of 1 MiB begins whose value and header count are zeros.
///
/// The body counts what is left after its length, 4 bytes; the value what is left of the body after
/// attributes 1, time 1, offset 1 or 2, null key 1, value length 4 and header count 1. Both lengths
/// are padded to 4 bytes, so that they do not depend on themselves.
private func zeroRecord(offsetDelta: UInt8) -> [UInt8] {
  // The body counts 2^20 - 4 bytes after the length's own 4 (a varint of 2^21 - 8); the value has
  // those but 9: attributes 1, time 1, offset 1 or 2, key 1, value length 4, header count 1.
  let offset: [UInt8] = offsetDelta < 64 ? [offsetDelta * 2] : [offsetDelta * 2 | 0x80, 1]
  let value = UInt32((1 << 20) - 4 - 8 - offset.count)
  return varint((1 << 20) - 4) + [0, 0] + offset + [0x01] + varint(value)
}

private func varint(_ value: UInt32) -> [UInt8] {
  let mapped = value << 1
  return [
    UInt8(mapped & 0x7f | 0x80), UInt8(mapped >> 7 & 0x7f | 0x80),
    UInt8(mapped >> 14 & 0x7f | 0x80),
    UInt8(mapped >> 21),
  ]
}

/// A raw snappy block: `start` as a literal, then zeros up to `count` bytes.
private func snappyBlock(_ start: [UInt8], _ count: Int) -> [UInt8] {
  var block: [UInt8] = [
    UInt8(count & 0x7f | 0x80), UInt8(count >> 7 & 0x7f | 0x80), UInt8(count >> 14),
  ]
  block += [UInt8(start.count << 2)] + start + [0]
  var left = count - start.count - 1
  while left > 0 {
    // A copy of up to 64 bytes from one byte back.
    let copied = min(left, 64)
    block += [UInt8((copied - 1) << 2 | 2), 1, 0]
    left -= copied
  }
  return block
}
