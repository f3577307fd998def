import LogStore
import RecordFormat

/// Reads and look-ups: each returns what the array of records contains.
extension LogUse {
  mutating func fetch(_ choices: inout InputChoices) -> String {
    guard let log else { return "no log" }
    let shape = choices.byte()
    let start = Int64(choices.index(below: records.count + 1))
    if shape & 1 != 0 || reader == nil { reader = LogReader(log) }
    guard let reader else { return "no log" }
    let limit: LogReader.Limit = shape & 2 != 0 ? .highWatermark : .logEnd
    let end = reader.endOffset(limit)
    require(end <= Int64(records.count), "\(end) of \(records.count) may be read")
    guard start <= end else { return "fetch" }
    if start < log.logStartOffset { return fetchDeleted(start, reader) }
    var next = start
    for _ in 0..<1 + Int(shape >> 4 & 3) {
      let from = next
      var seen = from
      do throws(LogError) {
        next = try reader.forEachRecord(
          from: from, maxBytes: [1, 200, 1000, 100_000][Int(shape >> 2 & 3)], limit: limit
        ) { (record) throws(LogError) in
          guard record.offset >= from else { return true }
          require(record.offset == seen, "offset \(record.offset) where \(seen) comes next")
          expect(Record(copying: record), at: seen)
          seen += 1
          return true
        }
      } catch {
        expectFault(error, "a fetch")
        return "failed fetch"
      }
      require(next == seen && next <= end, "a fetch at \(from) ends at \(next) of \(end)")
      require(next > from || from == end, "a fetch at \(from) of \(end) gives nothing")
    }
    return "fetch"
  }

  mutating func lookUp(_ choices: inout InputChoices) -> String {
    guard let log, !records.isEmpty else { return "no log" }
    let start = log.logStartOffset
    guard start < records.count else { return "no log" }
    let offset = start + Int64(choices.index(below: records.count - Int(start)))
    if reader == nil { reader = LogReader(log) }
    do throws(LogError) {
      let found = try reader?.record(at: offset, limit: .logEnd)
      guard let found else { fatalError("no record at \(offset)") }
      expect(found, at: offset)
    } catch {
      expectFault(error, "a look-up")
    }
    return "look-up"
  }

  private func time(_ choices: inout InputChoices) -> Int64 {
    let any = choices.index(below: records.count * (aging.isOn ? 1 : 10) + 300)
    if !aging.isOn { return Int64(900 + any) }
    return records.isEmpty ? 0 : records[any % records.count].timestamp + Int64(any % 3) - 1
  }

  mutating func lookUpTime(_ choices: inout InputChoices) -> String {
    guard let log else { return "no log" }
    let time = time(&choices)
    let live = records[Int(log.logStartOffset)...]
    do throws(LogError) {
      let found = try log.offset(forTimestamp: time)
      let largest = try log.offsetOfLargestTimestamp()
      // Unreadable records are skipped.
      if disk.faultFired { return "look-up of a time" }
      let expected = live.first { $0.timestamp >= time }
      require(found?.offset == expected?.offset, "time \(time) gives \(String(describing: found))")
      require(found?.timestamp == expected?.timestamp, "time \(time)")
      let newest = live.map(\.timestamp).max()
      require(largest?.timestamp == newest, "the largest time is \(String(describing: largest))")
      require(largest?.offset == live.first { $0.timestamp == newest }?.offset)
    } catch {
      expectFault(error, "a look-up of a time")
    }
    return "look-up of a time"
  }

  /// Another process reads the log beside its owner.
  mutating func follow() -> String {
    guard let log else { return "no log" }
    do throws(LogError) {
      if follower == nil {
        follower = try Log.openReadOnlyBlocking("/data/t-0", disk: disk, logger: Self.silent)
      }
      guard let follower else { return "no log" }
      _ = try follower.refresh()
      let reader = LogReader(follower)
      var next = follower.logStartOffset
      // State that the owner could not certainly make durable may be durable nevertheless.
      require(next <= max(log.logStartOffset, aging.startMax), "a follower begins at \(next)")
      let end = follower.logEndOffset
      if !disk.faultFired {
        require(end == Int64(records.count), "\(end) of \(records.count) records are followed")
      }
      while next < end {
        let from = next
        next = try reader.forEachRecord(from: from, maxBytes: 700, limit: .logEnd) {
          (record) throws(LogError) in
          expect(Record(copying: record), at: record.offset)
          return true
        }
        if next == from {
          // Deleted since, and because of a fault a file kept its name: the next record is not
          // there yet.
          require(from < log.logStartOffset, "following stops at \(from) of \(end)")
          break
        }
      }
    } catch {
      if !isDeletion(error) { expectFault(error, "following") }
      follower = nil
    }
    return "follow"
  }

  func expect(_ record: Record, at offset: Int64) {
    require(offset < Int64(records.count), "a record at \(offset) of \(records.count)")
    require(record == records[Int(offset)], "the record at \(offset) is another one")
  }
}
