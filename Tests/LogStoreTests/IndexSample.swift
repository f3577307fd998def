import DiskIO
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// A log of several segments whose times rise and fall, and what a scan of it says: the truth that
/// indexes must not change.
struct IndexSample {
  static let config = CrashStore.config(segmentBytes: 900, indexIntervalBytes: 100)

  let clean: SimulatedDisk
  let killed: SimulatedDisk
  let batches: [LogModel.Batch]
  let records: [Record]
  let bases: [Int64]
  /// Times to look up: each record's, and the ones beside it.
  let times: [Int64]

  init() throws {
    let disk = SimulatedDisk(seed: 51)
    var model = LogModel()
    let store = try CrashStore(disk, Self.config)
    var generator = SeededGenerator(seed: 52)
    for index in 0..<21 {
      let values = (0..<1 + index % 3).map { _ in
        // Late records among early ones, and one far ahead.
        (
          timestamp: Int64(1_000 + index * 10) + Int64(generator.index(below: 40)) * 5
            - (index % 5 == 0 ? 90 : 0) + (index == 3 ? 500 : 0),
          value: generator.bytes(20 + index)
        )
      }
      try store.append(SampleBatches.sealed(values), &model)
    }
    batches = try LogModel.content(of: store.log)
    records = try store.log.allRecords().records
    bases = store.log.store.state.segments.map(\.baseOffset)
    times = Array(Set(records.flatMap { [$0.timestamp - 1, $0.timestamp, $0.timestamp + 1] }))
      .sorted()
    killed = disk.kill()
    try store.manager.closeBlocking()
    clean = disk.kill()
  }

  static func path(_ base: Int64, _ kind: SegmentName.Kind) -> String {
    "\(CrashStore.directory)/\(SegmentName(base, kind).fileName)"
  }

  /// A copy of one of the disks with files replaced (nil: removed).
  func copy(of disk: SimulatedDisk, _ files: [String: [UInt8]?]) throws -> SimulatedDisk {
    let copy = disk.kill()
    for (path, bytes) in files {
      if let bytes { try copy.install(path, bytes) } else { try copy.remove(path) }
    }
    return copy
  }

  /// Compares every fetch and every look-up by time with the scan; says what differs.
  func difference(_ log: Log) throws -> String? {
    guard log.logEndOffset == batches.last?.nextOffset else { return "ends at \(log.logEndOffset)" }
    for batch in batches {
      for offset in batch.baseOffset..<batch.nextOffset {
        let found = try LogReader(log).read(from: offset, maxBytes: 1, limit: .logEnd)
        guard found?.baseOffset == batch.baseOffset, found?.byteCount == batch.bytes.count else {
          return "offset \(offset): \(String(describing: found?.baseOffset))"
        }
      }
    }
    let reader = LogReader(log)
    for record in records {
      let found = try reader.record(at: record.offset, limit: .logEnd)
      guard found == record else {
        return "look-up of \(record.offset): \(String(describing: found))"
      }
    }
    for time in times {
      let found = try log.offset(forTimestamp: time)
      let expected = records.first { $0.timestamp >= time }
      guard found?.offset == expected?.offset, found?.timestamp == expected?.timestamp else {
        return "time \(time): \(String(describing: found)), not offset "
          + "\(String(describing: expected?.offset)) at \(String(describing: expected?.timestamp))"
      }
    }
    guard log.damagedRanges.isEmpty else { return "damage: \(log.damagedRanges)" }
    return nil
  }

  /// Opens for writing, and for reading only, and compares.
  func check(_ disk: SimulatedDisk, _ files: [String: [UInt8]?], _ place: String) throws {
    let store = try CrashStore(try copy(of: disk, files), Self.config, creates: false)
    if let fault = try difference(store.log) { Issue.record("\(place): \(fault)") }
    try checkReadOnly(disk, files, place)
  }

  func checkReadOnly(_ disk: SimulatedDisk, _ files: [String: [UInt8]?], _ place: String) throws {
    let copy = try copy(of: disk, files)
    let before = copy.operationCount
    let view = try Log.openReadOnlyBlocking(CrashStore.directory, disk: copy, logger: .silent)
    if let fault = try difference(view) { Issue.record("\(place), read-only: \(fault)") }
    #expect(copy.operationCount == before, "\(place): a reader changed something")
  }
}
