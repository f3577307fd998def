import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// The power fails while an index outgrows its first 16 KiB, and while full ones roll a segment.
@Suite struct CrashGrowthTests {
  /// With an entry for each batch but the first, the offset index needs more than 16,384 bytes from
  /// entry 2,049 on, the time index from entry 1,366 on.
  @Test(arguments: [1_364, 2_047])
  func anIndexGrowsWhereverThePowerFails(_ batchCount: Int) throws {
    let config = CrashStore.config(
      segmentBytes: 1 << 20, indexIntervalBytes: 0, segmentIndexBytes: 65_536)
    let full = SimulatedDisk(seed: 5)
    var before = LogModel()
    var weak = config
    weak.log.durability = .operatingSystem
    let filled = try CrashStore(full, weak)
    for number in 0..<batchCount {
      try filled.append(Self.batch(number), &before)
    }
    before.settle(on: try LogModel.content(of: filled.log))
    try filled.manager.closeBlocking()
    #expect(before.attemptCount == batchCount)

    var check = CrashCheck(config)
    var grown = 0
    let tried = PowerCutLoop(
      exhaustiveMax: 2, samples: 3 * CrashCount.scale, damaged: 1, seed: Seed(9)
    ).run(on: { full.crash(.keepAll) }) { disk in
      var model = before
      do {
        let store = try CrashStore(disk, config)
        for number in batchCount..<batchCount + 4 { try store.append(Self.batch(number), &model) }
        let sizes = [SegmentName.Kind.index, .timeindex].map {
          disk.contents(of: "\(CrashStore.directory)/\(SegmentName(0, $0).fileName)")?.count
        }
        if sizes.contains(32_768) { grown += 1 }
        try store.manager.closeBlocking()
      } catch {
        #expect(disk.isCut, "\(error)")
      }
      return model
    } check: { disk, model, point in
      check(disk, model, after: .powerCut, "\(batchCount) entries, \(point)")
    }
    #expect(grown > 0, "no index grew")
    #expect(tried.cuts > 20)
    CrashCount.add(check.states)
  }

  private static func batch(_ number: Int) -> [UInt8] {
    SampleBatches.make(number, records: 1, valueBytes: 4)
  }

  @Test func fullIndexesRollWhereverThePowerFails() throws {
    // Room for 6 offset entries, 4 time entries.
    let config = CrashStore.config(
      segmentBytes: 1 << 20, indexIntervalBytes: 0, segmentIndexBytes: 48)
    var check = CrashCheck(config)
    let tried = PowerCutLoop(
      exhaustiveMax: 4, samples: 8 * CrashCount.scale, damaged: 3, seed: Seed(10)
    ).run(on: { SimulatedDisk(seed: 6) }) { disk in
      var model = LogModel()
      do {
        let store = try CrashStore(disk, config)
        for batch in SampleBatches.small[..<14] { try store.append(batch, &model) }
        #expect(store.log.store.state.segments.count >= 3)
      } catch {
        #expect(disk.isCut, "\(error)")
      }
      return model
    } check: { disk, model, point in
      check(disk, model, after: .powerCut, "full indexes, \(point)")
    }
    #expect(tried.cuts > 60)
    CrashCount.add(check.states)
  }
}
