import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// A log of three segments (offsets 0…, with batches of one to three records), closed clean.
struct RecoverySample {
  let disk: SimulatedDisk
  let content: [LogModel.Batch]
  let bases: [Int64]
  var end: Int64 { content.last?.nextOffset ?? 0 }

  init(batches: Int = 12, closes: Bool = true, intervalBytes: Int = 100) throws {
    disk = SimulatedDisk(seed: 21)
    var model = LogModel()
    let config = CrashStore.config(segmentBytes: 500, indexIntervalBytes: intervalBytes)
    let store = try CrashStore(disk, config)
    for batch in SampleBatches.small[..<batches] { try store.append(batch, &model) }
    content = try LogModel.content(of: store.log)
    bases = store.log.store.state.segments.map(\.baseOffset)
    if closes { try store.manager.closeBlocking() }
  }

  func path(_ base: Int64, _ kind: SegmentName.Kind = .log) -> String {
    "\(CrashStore.directory)/\(SegmentName(base, kind).fileName)"
  }

  /// Position of the batch at `index` in its segment, and the segment's base.
  func place(_ index: Int) -> (base: Int64, position: Int) {
    let base = bases.last { $0 <= content[index].baseOffset } ?? 0
    let before = content[..<index].filter { $0.baseOffset >= base }
    return (base, before.reduce(0) { $0 + $1.bytes.count })
  }

  /// Changes a file of the log in place, durably.
  func edit(_ path: String, on disk: SimulatedDisk, _ change: (inout [UInt8]) -> Void) throws {
    var bytes = try #require(disk.contents(of: path))
    change(&bytes)
    try disk.install(path, bytes)
  }

  /// Takes the mark away (nil: also the clean-shutdown marker and the checkpoints).
  func strip(
    _ disk: SimulatedDisk, mark: Bool = false, marker: Bool = false, points: Bool = false
  )
    throws
  {
    if mark { try disk.remove("\(CrashStore.directory)/\(DurableMark.fileName)") }
    if marker { try disk.remove("\(CrashStore.path)/\(CleanShutdownFile.name)") }
    if points { try disk.remove("\(CrashStore.path)/recovery-point-offset-checkpoint") }
  }
}

extension Log {
  /// What a reader gets that steps over damage: batches, and the ranges that it was told of.
  func readAround() throws -> (batches: [LogModel.Batch], damaged: [Range<Int64>]) {
    let reader = LogReader(self)
    var batches: [LogModel.Batch] = []
    var damaged: [Range<Int64>] = []
    var buffer: [UInt8] = []
    var offset = logStartOffset
    while offset < logEndOffset {
      do {
        guard
          let records = try reader.read(from: offset, maxBytes: 200, limit: .logEnd, into: &buffer)
        else { break }
        try LogModel.split(buffer, into: &batches)
        offset = records.nextOffset
      } catch {
        guard case .corrupt(let range) = error.kind else { throw error }
        let offsets = try #require(range.offsets)
        damaged.append(offsets)
        offset = offsets.upperBound
      }
    }
    return (batches, damaged)
  }
}
