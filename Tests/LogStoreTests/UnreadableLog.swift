import DiskIO
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// A log of three segments of some sectors each, with batches that are smaller and larger than a
/// sector, and what is lost where sectors of it cannot be read.
struct UnreadableLog {
  /// How the writer stopped, and what the log's mark knows of its end.
  enum Stop: String, CaseIterable, Sendable {
    case closed, killed
    /// Killed with batches that no sync has covered: the mark does not reach them.
    case killedUnsynced
    /// Killed, and without the mark: a broker's log, for all that is known.
    case foreign
  }

  struct Segment {
    var path: String
    var bytes: [UInt8]
    var batches: [(bytes: Range<Int>, offsets: Range<Int64>)]
  }

  let stop: Stop
  let segments: [Segment]
  let end: Int64
  private let stopped: SimulatedDisk

  static func config(_ stop: Stop) -> StoreConfig {
    CrashStore.config(
      segmentBytes: 3000, durability: stop == .killedUnsynced ? .operatingSystem : .flushed,
      indexIntervalBytes: 400)
  }

  init(_ stop: Stop) throws {
    let store = try CrashStore(SimulatedDisk(seed: 11), Self.config(stop))
    var model = LogModel()
    for size in [30, 1200, 70, 400, 90, 20, 700, 10, 600, 1300, 50, 60, 300, 900, 40, 500, 200] {
      let values = size == 600 ? [200, 200, 200] : [size]
      try store.append(
        SampleBatches.sealed(
          values.map { (CrashStore.nowMs, [UInt8](repeating: UInt8($0 % 251), count: $0)) }),
        &model)
    }
    let content = try LogModel.content(of: store.log)
    let places = store.log.store.state.segments.map { ($0.path(.log), $0.baseOffset) }
    if stop == .closed { try store.manager.closeBlocking() }
    let stopped = store.disk.kill()
    if stop == .foreign { try stopped.remove("\(CrashStore.directory)/\(DurableMark.fileName)") }
    self.stop = stop
    self.stopped = stopped
    end = try #require(content.last).nextOffset
    segments = try places.enumerated().map { index, place in
      let next = index + 1 < places.count ? places[index + 1].1 : Int64.max
      var position = 0
      var batches: [(bytes: Range<Int>, offsets: Range<Int64>)] = []
      for batch in content where batch.baseOffset >= place.1 && batch.baseOffset < next {
        let end = position + batch.bytes.count
        batches.append((position..<end, batch.baseOffset..<batch.nextOffset))
        position = end
      }
      return Segment(
        path: place.0, bytes: try #require(stopped.contents(of: place.0)), batches: batches)
    }
  }

  /// A copy of the disk on which some bytes of a segment cannot be read.
  func disk(_ segment: Segment, without bytes: Range<Int>) throws -> SimulatedDisk {
    let disk = stopped.kill()
    try disk.makeUnreadable(segment.path, bytes)
    return disk
  }

  /// Every sector, and some runs of sectors, that leave something of their file.
  var faults: [(segment: Segment, bytes: Range<Int>)] {
    segments.flatMap { segment in
      let sectors = (segment.bytes.count + 511) / 512
      return (0..<sectors).flatMap { first in
        [1, 2, 3].filter { first + $0 <= sectors && $0 < sectors }.map {
          (segment, first * 512..<min((first + $0) * 512, segment.bytes.count))
        }
      }
    }
  }

  /// The batches that touch unreadable bytes, as one range.
  func lost(_ segment: Segment, _ bytes: Range<Int>) throws -> (Range<Int>, Range<Int64>) {
    let touched = segment.batches.filter { $0.bytes.overlaps(bytes) }
    let (first, last) = (try #require(touched.first), try #require(touched.last))
    return (
      first.bytes.lowerBound..<last.bytes.upperBound,
      first.offsets.lowerBound..<last.offsets.upperBound
    )
  }

  /// Whether nothing tells where the lost offsets end: no later batch, no mark, no clean stop.
  func isEndUnknown(_ segment: Segment, _ lost: Range<Int64>) -> Bool {
    lost.upperBound == end && (stop == .killedUnsynced || stop == .foreign)
  }
}
