import LogStore
import RecordFormat

/// An owner's commands that remove records from the log, and restore them.
extension LogUse {
  mutating func deleteRecords(_ choices: inout InputChoices) -> String {
    guard let log else { return "no log" }
    let (start, end) = (log.logStartOffset, log.highWatermark)
    let target = start + Int64(choices.index(below: Int(end - start) + 2))
    planNear(choices.byte(), &choices)
    do throws(LogError) {
      try log.deleteRecordsBlocking(before: target)
      require(target <= end, "\(target) is deleted of \(end)")
      require(log.logStartOffset == target, "starts at \(log.logStartOffset), not \(target)")
      let bases = log.store.state.segments.map(\.baseOffset)
      require(bases.count < 2 || bases[1] > target, "\(bases) of a log that starts at \(target)")
    } catch {
      if target > end {
        require(isDeletion(error) || disk.faultFired, "beyond the end: \(error)")
      } else {
        expectFault(error, "deleting records")
      }
    }
    noteStart(upTo: min(target, end))
    return "records deleted"
  }

  mutating func truncate(_ choices: inout InputChoices) -> String {
    guard let manager, let log else { return "no log" }
    let first = log.logStartOffset
    let starts = aging.batches.map(\.base).filter { $0 >= first } + [Int64(records.count)]
    let target = starts[max(0, starts.count - 1 - choices.index(below: 6))]
    let content: [LogModel.Batch]
    do throws(LogError) {
      content = try read(log)
    } catch {
      expectFault(error, "a read before a truncation")
      return "no truncation"
    }
    let kept = content.filter { $0.nextOffset <= target }
    if target == records.count { return "no truncation" }
    var shorter = LogModel()
    shorter.settle(on: kept)
    planNear(choices.byte(), &choices)
    aging.alternative = shorter
    leaveReaders()
    do throws(LogError) {
      let done = try manager.truncateLogBlocking(Self.topicPartition, from: target)
      require(done.offsets == target..<Int64(records.count), "\(done.offsets) was truncated")
      take(done, kept, "truncation")
      aging.truncated = content.filter { $0.nextOffset > target }
      return "truncation"
    } catch {
      expectFault(error, "a truncation")
      return ended("failed truncation", &choices)
    }
  }

  mutating func undoTruncation(_ choices: inout InputChoices) -> String {
    guard let manager, let log, let truncated = aging.truncated else { return "no undo" }
    let content: [LogModel.Batch]
    do throws(LogError) {
      content = try read(log)
    } catch {
      expectFault(error, "a read before an undo")
      return "no undo"
    }
    var longer = LogModel()
    longer.settle(on: content + truncated)
    planNear(choices.byte(), &choices)
    aging.alternative = longer
    leaveReaders()
    do throws(LogError) {
      let done = try manager.undoTruncationBlocking(of: Self.topicPartition)
      take(done, content + truncated, "undo")
      aging.truncated = nil
      return "undo"
    } catch {
      expectFault(error, "an undo")
      return ended("failed undo", &choices)
    }
  }

  /// The log is usually closed: the next opening completes the change or leaves the log unchanged.
  private mutating func ended(_ what: String, _ choices: inout InputChoices) -> String {
    aging.truncated = nil
    if disk.isCut { cutPower(&choices) } else { _ = kill(&choices) }
    return what
  }

  private mutating func leaveReaders() {
    reader = nil
    follower = nil
    aging.held = []
    aging.begun = [:]
  }

  /// Continues with the log that a truncation or an undo returned.
  private mutating func take(
    _ done: TruncatedLog, _ expected: [LogModel.Batch], _ what: String
  ) {
    log = done.log
    do throws(LogError) {
      require(try read(done.log) == expected, "another content after a \(what)")
    } catch {
      expectFault(error, "a read after a \(what)")
    }
    settle(
      on: expected, from: expected.first?.baseOffset ?? done.log.logStartOffset)
    require(done.log.logEndOffset == Int64(records.count), "ends at \(done.log.logEndOffset)")
  }

  /// Continues from the log's actual content from `start` on.
  mutating func settle(on content: [LogModel.Batch], from start: Int64) {
    model.settle(on: content)
    aging.alternative = nil
    aging.resumed = log?.store.state.segments.last?.baseOffset
    aging.batches.removeAll { $0.base >= start }
    records.removeLast(records.count - Int(start))
    for batch in content {
      guard let found = tried[Self.key(batch.bytes)] else { fatalError("an unknown batch") }
      noteBatch(found, batch.bytes.count, at: Int64(records.count))
      for record in found {
        records.append(record)
        records[records.count - 1].offset = Int64(records.count - 1)
      }
    }
  }

  /// The log's content, in small reads.
  func read(_ log: Log) throws(LogError) -> [LogModel.Batch] {
    try LogModel.content(of: log, maxBytes: 700)
  }
}
