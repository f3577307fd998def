import DiskIO
import LogStore
import RecordFormat

/// Everything that a log returns, read from its start to its end, and checked.
///
/// Traps if the engine breaks a promise: a batch with a wrong CRC, offsets that do not rise, a read
/// that makes no progress.
struct ServedLog: Equatable {
  /// A batch as it was returned.
  struct Batch: Equatable {
    var baseOffset: Int64
    var nextOffset: Int64
    var byteCount: Int
    var crc: UInt32
  }

  /// Batches in the order of their offsets.
  private(set) var batches: [Batch] = []
  /// Ranges of offsets that were refused as damaged.
  private(set) var damaged: [Range<Int64>] = []

  /// Reads the whole log.
  init(_ log: Log) {
    let reader = LogReader(log)
    var buffer: [UInt8] = []
    var offset = log.logStartOffset
    let end = log.logEndOffset
    while offset < end {
      do throws(LogError) {
        guard
          let records = try reader.read(
            from: offset, maxBytes: 4096, limit: .logEnd, into: &buffer)
        else { return }
        require(records.nextOffset > offset, "offset \(offset) leads to \(records.nextOffset)")
        add(buffer, records, of: log, from: offset)
        offset = records.nextOffset
      } catch {
        guard case .corrupt(let range) = error.kind else { fatalError("\(error)") }
        guard let offsets = range.offsets else { return }
        require(offsets.upperBound > offset, "\(range) at offset \(offset) leads nowhere")
        damaged.append(offset..<offsets.upperBound)
        offset = offsets.upperBound
      }
    }
  }

  private mutating func add(
    _ bytes: [UInt8], _ records: FileRecords, of log: Log, from offset: Int64
  ) {
    var position = 0
    while position < bytes.count {
      do throws(BatchError) {
        let header = try BatchHeader(bytes.span.extracting(position...))
        let batch = try RecordBatch(bytes.span.extracting(position..<position + header.byteCount))
        try batch.checkCRC()
        let served = Batch(
          baseOffset: header.baseOffset, nextOffset: header.nextOffset,
          byteCount: header.byteCount, crc: header.crc)
        let reached = batches.last?.nextOffset ?? 0
        require(served.baseOffset >= reached, "\(served) after offset \(reached)")
        require(served.nextOffset > offset, "\(served) for offset \(offset)")
        batches.append(served)
        position += header.byteCount
      } catch {
        fatalError("given out at offset \(offset): \(error)")
      }
    }
    require(position == records.byteCount)
    let reached = batches.last?.nextOffset ?? 0
    require(records.nextOffset >= reached, "\(records.nextOffset) after \(reached)")
    // A gap may be skipped, as after compaction, but damage must be reported.
    let isPassedOver = log.damagedRanges.contains { range in
      range.offsets?.overlaps(reached..<records.nextOffset) ?? false
    }
    require(!isPassedOver, "going on at \(records.nextOffset) passes over damage")
  }

  /// The batch that a fetch at `offset` must begin with; nil if there is none at or after it, or
  /// damage is in between.
  func first(at offset: Int64) -> Batch? {
    guard let batch = batches.first(where: { $0.nextOffset > offset }) else { return nil }
    return damaged.contains { $0.upperBound > offset && $0.lowerBound < batch.baseOffset }
      ? nil : batch
  }

  /// Where two logs differ first, for messages.
  func difference(from other: ServedLog) -> String {
    let index = zip(batches, other.batches).enumerated().first { $0.element.0 != $0.element.1 }
    let place = index?.offset ?? min(batches.count, other.batches.count)
    return "\(batches.count) batches, then \(other.batches.count); "
      + "from the \(place)th on \(batches[place...].prefix(2)), "
      + "then \(other.batches[place...].prefix(2)); damaged \(damaged), then \(other.damaged)"
  }
}
