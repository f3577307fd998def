import DiskIO
import MkstoreBytes
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// What tells that a gap between two batches is one by right: a batch after it, if it is sound.
struct GapEvidenceTests {
  private static let path = "/00000000000000000000.log"

  /// Base offsets of the batches that a walk takes, and the fault it ends with.
  private func walk(_ bytes: [UInt8], _ rules: OwnLogRules) throws -> ([Int64], BatchFault?) {
    let disk = SimulatedDisk(seed: 1)
    try disk.install(Self.path, bytes)
    var scanner = SegmentScanner(
      try disk.open(Self.path, .read), endPosition: bytes.count, expectedOffset: 0,
      offsetLimit: Int64.max, options: SegmentScanner.Options(rules: rules))
    var found: [Int64] = []
    while true {
      switch try scanner.next() {
      case .batch(let header, _): found.append(header.baseOffset)
      case .end: return (found, nil)
      case .invalid(let fault, _): return (found, fault)
      }
    }
  }

  /// Batches of one record each at these offsets.
  private func batches(_ offsets: [Int64]) throws -> [[UInt8]] {
    try offsets.map { offset in
      var builder = RecordBatchBuilder()
      _ = try builder.append(timestamp: 1, key: nil, value: [1, 2, 3].span)
      var batch = try builder.finish()
      assignOffset(&batch, baseOffset: offset, leaderEpoch: 0)
      return [UInt8](copying: batch.span)
    }
  }

  @Test func inAnOwnLogOnlyASoundBatchConfirmsAGap() throws {
    let own = OwnLogRules(isGapless: true, leaderEpoch: 0)
    var parts = try batches([0, 5, 6])
    #expect(try walk(Array(parts.joined()), own) == ([0, 5, 6], nil))
    // Alone, cut off, or with a wrong byte it does not: an opening cuts it, and then it is gone.
    let gap = BatchFault.offsetGap(5, expected: 1)
    #expect(try walk(Array(parts[..<2].joined()), own) == ([0], gap))
    #expect(try walk(Array(parts.joined().dropLast()), own) == ([0], gap))
    parts[2][parts[2].count - 1] ^= 1
    #expect(try walk(Array(parts.joined()), own) == ([0], gap))
    // Another program's log may have gaps.
    #expect(try walk(Array(parts.joined()), .none).0 == [0, 5])
  }

  @Test func aFarOffsetCountsOnlyWhereTheNextBatchAgrees() throws {
    let far = Int64(Int32.max) + 10
    let fault = BatchFault.offsetGap(far, expected: 0)
    #expect(try walk(Array(batches([far, far + 1]).joined()), .none) == ([far, far + 1], nil))
    #expect(try walk(Array(batches([far]).joined()), .none) == ([], fault))
    // One that contradicts it is no evidence for it, whether it is cut away later or not.
    #expect(try walk(Array(batches([far, 0]).joined()), .none).0.isEmpty)
    var torn = try batches([far, far + 1])
    torn[1].removeLast()
    #expect(try walk(Array(torn.joined()), .none) == ([], fault))
  }
}
