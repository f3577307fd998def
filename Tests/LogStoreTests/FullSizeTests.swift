import DiskIO
import Logging
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// Stores of many logs and many segments, at full size on the simulated disk.
@Suite struct FullSizeTests {
  /// P5: 10,000 segments with 256 descriptors, as under `ulimit -n 256`: every record is read, or
  /// found by its offset or time, in a log that goes on growing.
  @Test func tenThousandSegmentsNeedFewDescriptors() throws {
    let segmentCount = environmentNumber("MKSTORE_SEGMENTS") ?? 10_000
    let disk = SimulatedDisk(seed: 51)
    for number in 0..<segmentCount {
      let bytes = try BatchSource.batch(
        baseOffset: Int64(number), values: [[UInt8(truncatingIfNeeded: number)]],
        timestamp: 1_000_000 + Int64(number))
      try disk.install(Self.path(0, Int64(number), .log), bytes)
    }
    try disk.install("\(CrashStore.path)/\(CleanShutdownFile.name)", [])
    disk.openFilesMax = 256
    let store = try CrashStore(disk, CrashStore.config(segmentBytes: 400, segmentIndexBytes: 4_096))
    let log = store.log
    var model = LogModel()
    for batch in SampleBatches.small { try store.append(batch, &model) }
    #expect(log.store.state.segments.count > segmentCount + 10)

    let content = try LogModel.content(of: log)
    let offsets = content.prefix(segmentCount).map(\.baseOffset)
    #expect(offsets == (0..<segmentCount).map(Int64.init))
    #expect(content.last?.nextOffset == log.logEndOffset)
    for number in stride(from: 7, to: segmentCount, by: 501) {
      let found = try LogReader(log).read(from: Int64(number), maxBytes: 1)
      #expect(found?.baseOffset == Int64(number))
    }
    #expect(try log.offset(forTimestamp: 1_000_050)?.offset == 50)
    try store.append(SampleBatches.small[0], &model)
    #expect(disk.counters.openFilesPeak <= 256)
    #expect(disk.counters.mappingsPeak <= 2 * 256)
    try store.manager.closeBlocking()
  }

  /// P1: a store of logs with 100 sealed segments each is opened without a byte of any sealed
  /// segment, after a clean stop and after the process was killed, at the same cost for each log.
  /// 100 logs here; MKSTORE_LOGS=1000 takes minutes to make, and read 1,580 bytes of each log after
  /// the clean stop and 11,900 after the kill, of which 8 KiB are the zeros behind the entries of
  /// the last indexes.
  @Test(arguments: [true, false])
  func openingReadsNoSealedSegment(_ isClean: Bool) throws {
    let logCount = environmentNumber("MKSTORE_LOGS") ?? 100
    let (files, sealed) = try Self.sample(isClean: isClean)
    #expect(sealed.count == 100)
    let disk = SimulatedDisk(seed: 52)
    for number in 0..<logCount {
      for (name, bytes) in files {
        let path = "/data/t-\(number)/\(name)"
        try disk.install(path, bytes, birth: MutatedDirectory.birth(path, bytes))
      }
    }
    if isClean { try disk.install("/data/\(CleanShutdownFile.name)", []) }
    let before = disk.counters
    let store = try Store.openBlocking(
      "/data", config: CrashStore.config(), disk: disk, logger: .silent)
    let after = disk.counters
    #expect(store.report.wasClean == isClean && store.report.failed.isEmpty)
    #expect(store.logs.count == logCount)
    #expect(store.logs.allSatisfy { $0.recovery.segmentCount == 101 })
    #expect(store.logs.allSatisfy { $0.logEndOffset == store.logs[0].logEndOffset })
    let readOf = after.bytesReadByPath.filter { before.bytesReadByPath[$0.key] != $0.value }
    let touched = readOf.keys.filter { path in sealed.contains { path.hasSuffix($0) } }
    #expect(touched.isEmpty, "\(touched.prefix(3))")
    let bytesPerLog = (after.bytesRead - before.bytesRead) / logCount
    #expect(bytesPerLog < (isClean ? 4_096 : 16_384), "\(bytesPerLog) bytes read of each log")
    print("\(isClean ? "clean" : "killed"): \(bytesPerLog) bytes read of each of \(logCount) logs")
  }

  /// The files of a log with 100 sealed segments that the engine wrote, and the names of the sealed
  /// ones. Of their indexes nothing is needed.
  private static func sample(isClean: Bool) throws -> ([(String, [UInt8])], Set<String>) {
    let disk = SimulatedDisk(seed: 53)
    var config = CrashStore.config(segmentBytes: 100, segmentIndexBytes: 4_096)
    config.log.durability = .operatingSystem
    let store = try CrashStore(disk, config)
    var model = LogModel()
    while store.log.store.state.segments.count <= 100 {
      try store.append(SampleBatches.small[0], &model)
    }
    try store.flush(&model)
    if isClean { try store.manager.closeBlocking() }
    let left = isClean ? disk : disk.kill()
    let names = try left.list(CrashStore.directory).map(\.name)
    let bases = names.compactMap { SegmentName($0) }.filter { $0.kind == .log }.map(\.baseOffset)
    let last = try #require(bases.max())
    var files: [(String, [UInt8])] = []
    for name in names {
      if let segment = SegmentName(name), segment.kind != .log, segment.baseOffset < last {
        continue
      }
      if let bytes = left.contents(of: "\(CrashStore.directory)/\(name)") {
        files.append((name, bytes))
      }
    }
    let sealed = bases.filter { $0 < last }.map { SegmentName($0, .log).fileName }
    return (files, Set(sealed))
  }

  private static func path(_ log: Int, _ baseOffset: Int64, _ kind: SegmentName.Kind) -> String {
    "/data/t-\(log)/\(SegmentName(baseOffset, kind).fileName)"
  }
}
