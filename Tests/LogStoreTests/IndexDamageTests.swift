import DiskIO
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// Whatever becomes of an index file, every fetch and every look-up by time gives what a scan gives
/// (P3, I9).
@Suite struct IndexDamageTests {
  private let sample: IndexSample
  private static let kinds = [SegmentName.Kind.index, .timeindex]

  init() throws { sample = try IndexSample() }

  private func bytes(_ disk: SimulatedDisk, _ base: Int64, _ kind: SegmentName.Kind) throws
    -> [UInt8]
  {
    try #require(disk.contents(of: IndexSample.path(base, kind)))
  }

  /// The used part of an index file that may still have its preallocated tail.
  private func used(_ bytes: [UInt8]) -> [UInt8] {
    Array(bytes[..<((bytes.lastIndex { $0 != 0 } ?? -1) + 1)])
  }

  @Test func theSampleHasIndexesToDamage() throws {
    #expect(sample.bases.count >= 3)
    for (kind, entryBytes) in [(SegmentName.Kind.index, 8), (.timeindex, 12)] {
      let total = try sample.bases.reduce(0) { try $0 + bytes(sample.clean, $1, kind).count }
      #expect(total >= 6 * entryBytes, "\(kind)")
    }
    try sample.check(sample.clean, [:], "untouched")
    try sample.check(sample.killed, [:], "killed")
  }

  @Test(arguments: [false, true])
  func missingEmptyZeroedOrForeignIndexesChangeNothing(_ isKilled: Bool) throws {
    let disk = isKilled ? sample.killed : sample.clean
    var generator = SeededGenerator(seed: 53)
    for base in sample.bases {
      for kind in Self.kinds {
        let path = IndexSample.path(base, kind)
        let bytes = try bytes(disk, base, kind)
        let other = sample.bases.first { $0 != base }!
        let variants: [(String, [UInt8]?)] = [
          ("missing", nil), ("empty", []), ("zeros", [UInt8](repeating: 0, count: bytes.count)),
          ("preallocated", [UInt8](repeating: 0, count: 16_384)),
          ("a zero tail", bytes + [UInt8](repeating: 0, count: 1_024)),
          ("ones", [UInt8](repeating: 0xff, count: bytes.count)),
          ("garbage", generator.bytes(bytes.count)),
          ("a garbage tail", used(bytes) + generator.bytes(96)),
          ("another segment's", try self.bytes(disk, other, kind)),
          ("the other kind", try self.bytes(disk, base, kind == .index ? .timeindex : .index)),
          ("reversed", bytes.reversed()),
        ]
        for (name, content) in variants {
          try sample.check(disk, [path: content], "\(base) \(kind) \(name), killed \(isKilled)")
        }
      }
    }
  }

  @Test func allIndexesGoneOrSwappedChangeNothing() throws {
    for disk in [sample.clean, sample.killed] {
      var gone: [String: [UInt8]?] = [:]
      var swapped: [String: [UInt8]?] = [:]
      for (base, other) in zip(sample.bases, sample.bases.reversed()) {
        for kind in Self.kinds {
          gone[IndexSample.path(base, kind)] = .some(nil)
          swapped[IndexSample.path(base, kind)] = try bytes(disk, other, kind)
        }
      }
      try sample.check(disk, gone, "all gone")
      try sample.check(disk, swapped, "all swapped")
    }
  }

  @Test(arguments: kinds)
  func everyTruncationChangesNothing(_ kind: SegmentName.Kind) throws {
    for base in [sample.bases[1], sample.bases.last!] {
      let path = IndexSample.path(base, kind)
      let bytes = try bytes(sample.clean, base, kind)
      for count in 0..<bytes.count {
        try sample.check(
          sample.clean, [path: Array(bytes.prefix(count))], "\(base) \(kind) cut to \(count)")
      }
    }
  }

  @Test(arguments: kinds, [0, 1])
  func everyFlippedBitChangesNothing(_ kind: SegmentName.Kind, _ which: Int) throws {
    let base = which == 0 ? sample.bases[1] : sample.bases.last!
    let path = IndexSample.path(base, kind)
    let bytes = try bytes(sample.clean, base, kind)
    for index in bytes.indices {
      for bit in 0..<8 {
        var flipped = bytes
        flipped[index] ^= 1 << UInt8(bit)
        let place = "\(base) \(kind) byte \(index) bit \(bit)"
        if (index + bit) % 4 == 0 {
          try sample.checkReadOnly(sample.clean, [path: flipped], place)
        } else {
          let copy = try sample.copy(of: sample.clean, [path: flipped])
          let store = try CrashStore(copy, IndexSample.config, creates: false)
          if let fault = try sample.difference(store.log) { Issue.record("\(place): \(fault)") }
        }
      }
    }
  }

  @Test func flippedBitsOfAKilledActiveIndexChangeNothing() throws {
    let base = sample.bases.last!
    for kind in Self.kinds {
      let path = IndexSample.path(base, kind)
      let bytes = try bytes(sample.killed, base, kind)
      for index in used(bytes).indices {
        var flipped = bytes
        flipped[index] ^= 1 << UInt8(index % 8)
        try sample.check(sample.killed, [path: flipped], "killed: \(kind) byte \(index)")
      }
    }
  }

  /// The zeros that were allocated behind the entries of a killed session are left to the next
  /// append or close; anything else there is cut at once.
  @Test func onlyZerosStayBehindTheEntriesOfAKilledSession() throws {
    let base = sample.bases.last!
    for kind in Self.kinds {
      let path = IndexSample.path(base, kind)
      let bytes = try bytes(sample.killed, base, kind)
      let usedCount = used(bytes).count
      #expect(bytes.count > usedCount + 8)
      for stray in [nil, usedCount + 7, bytes.count - 1] {
        var changed = bytes
        if let stray { changed[stray] = 1 }
        let disk = try sample.copy(of: sample.killed, [path: changed])
        let before = disk.counters.calls[.truncate] ?? 0
        let store = try CrashStore(disk, IndexSample.config, creates: false)
        let cuts = (disk.counters.calls[.truncate] ?? 0) - before
        #expect((cuts > 0) == (stray != nil), "\(kind) \(stray ?? -1): \(cuts) cuts")
        if let fault = try sample.difference(store.log) { Issue.record("\(kind): \(fault)") }
        try store.manager.closeBlocking()
        let right = try self.bytes(sample.clean, base, kind)
        #expect(disk.contents(of: path) == right, "\(kind) \(stray ?? -1)")
      }
    }
  }

  @Test func aWrongIndexIsMendedForGood() throws {
    for base in sample.bases {
      for kind in Self.kinds {
        let path = IndexSample.path(base, kind)
        let right = try bytes(sample.clean, base, kind)
        let disk = try sample.copy(of: sample.clean, [path: nil])
        let store = try CrashStore(disk, IndexSample.config, creates: false)
        _ = try sample.difference(store.log)
        try store.manager.closeBlocking()
        #expect(disk.contents(of: path) == right, "\(base) \(kind)")
      }
    }
  }

  /// A name may say the last offset there is, and an index whatever it likes.
  @Test(arguments: [Int64.max, Int64.max - 5])
  func indexesOfTheLastOffsetsAreRead(_ base: Int64) throws {
    let disk = SimulatedDisk(seed: 3)
    let entries = [UInt8](repeating: 0, count: 7) + [1, 0, 0, 0, 9, 0, 0, 0, 1]
    try disk.install(IndexSample.path(base, .log), [UInt8](repeating: 1, count: 100))
    try disk.install(IndexSample.path(base, .index), entries)
    try disk.install(
      IndexSample.path(base, .timeindex), [UInt8](repeating: 1, count: TimeIndex.entryBytes))
    let view = try Log.openReadOnlyBlocking(CrashStore.directory, disk: disk, logger: .silent)
    #expect(view.logEndOffset >= base)
    _ = try view.offset(forTimestamp: 0)
    #expect(try LogVerifier(disk).verify([CrashStore.directory]).hasDamage)
  }
}
