import DiskIO
import Glibc
import LogStore
import RecordFormat

/// Deletions, by retention, by the log's owner, and of the log's end, with concurrent readers.
extension LogUse {
  static let checkIntervalMs: Int64 = 60_000
  private static let deletedSuffix = ".deleted"

  /// One step of a log that also loses records.
  mutating func age(_ choices: inout InputChoices) -> String {
    switch choices.byte() % 32 {
    case 0..<4: append(.records, &choices)
    case 4..<7: append(.batch, &choices)
    case 7..<9: append(.write, &choices)
    case 9..<11: fetch(&choices)
    case 11: lookUp(&choices)
    case 12: lookUpTime(&choices)
    case 13: follow()
    case 14: flush()
    case 15: close(&choices)
    case 16: kill(&choices)
    case 17: fail(&choices)
    case 18: planFault(&choices)
    case 19: endFaults()
    case 20: reopen()
    case 21..<25: check(&choices)
    case 25: alter(&choices)
    case 26: deleteRecords(&choices)
    case 27: truncate(&choices)
    case 28: undoTruncation(&choices)
    case 29: hold(&choices)
    case 30: useHeld()
    default: choices.byte() % 4 == 0 ? delete(&choices) : jumpClock()
    }
  }

  private mutating func fail(_ choices: inout InputChoices) -> String {
    cutPower(&choices)
    return "power cut"
  }

  private mutating func endFaults() -> String {
    disk.removeFaults()
    return "no faults"
  }

  /// A record's time: near now, before or after it.
  func age(_ shape: Int) -> Int64 {
    let ahead: [Int64] = [0, -20, 7, 3_000, -60_000, -3_600_000, 600_000, 1]
    return aging.clock.wallMs + ahead[shape]
  }

  mutating func noteBatch(_ new: [Record], _ byteCount: Int, at base: Int64) {
    aging.batches.append(
      RetentionModel.Batch(
        base: base, next: base + Int64(new.count), bytes: byteCount,
        largestMs: new.map(\.timestamp).max() ?? 0))
  }

  /// An append begins a segment if the last one is older than `segment.ms`.
  mutating func noteAge(_ new: [Record], _ bytes: [UInt8], at base: Int64) {
    guard aging.isOn, let log, let last = log.store.state.segments.last?.baseOffset else { return }
    let now = aging.clock.wallMs
    if last == base, base != aging.resumed { aging.begun[base] = now }
    guard last < base, let settings = aging.settings, let begun = aging.begun[last] else { return }
    require(
      now - begun <= settings.segmentMs,
      "segment \(last) is \(now - begun) ms old, and \(base) was appended to it")
  }

  /// Discards what only the ending session knows.
  mutating func endSession() {
    aging.held = []
    aging.begun = [:]
  }

  // MARK: Start

  /// Checks a log's start after an opening, and removes what is below it.
  ///
  /// - Returns: The start of its first batch.
  mutating func checkStart(_ content: [LogModel.Batch]) -> Int64 {
    guard let log else { return 0 }
    let start = log.logStartOffset
    require(
      start >= aging.startMin && start <= aging.startMax,
      "starts at \(start), not in \(aging.startMin)...\(aging.startMax)")
    (aging.startMin, aging.startMax) = (start, start)
    model.forget(below: start)
    aging.alternative?.forget(below: start)
    let first = content.first.map { min($0.baseOffset, start) } ?? start
    require((content.first?.nextOffset ?? .max) > start, "a deleted batch is read")
    if let settings = aging.settings { expectSettings(settings, log.config) }
    return first
  }

  mutating func noteStart(upTo tried: Int64) {
    guard let log else { return }
    let start = log.logStartOffset
    require(start >= aging.startMin, "the start goes back from \(aging.startMin) to \(start)")
    aging.startMin = start
    aging.startMax = max(aging.startMax, tried)
    model.forget(below: start)
    aging.truncated = nil
  }

  /// Offsets before the log's start are out of range for every reader.
  mutating func fetchDeleted(_ offset: Int64, _ reader: LogReader) -> String {
    do throws(LogError) {
      _ = try reader.read(from: offset, maxBytes: 100, limit: .logEnd)
      fatalError("offset \(offset) was deleted, and is read")
    } catch {
      if !isDeletion(error) { expectFault(error, "a read of a deleted offset") }
    }
    return "fetch of what was deleted"
  }

  func isDeletion(_ error: LogError) -> Bool {
    if case .offsetOutOfRange = error.kind { aging.isOn } else { false }
  }

  // MARK: Settings

  /// Other settings, which take effect at once and survive the session.
  mutating func alter(_ choices: inout InputChoices) -> String {
    disk.removeFaults()
    guard let manager, let log, !disk.isCut else { return "no log" }
    let shape = choices.byte()
    let settings = RetentionModel.Settings(
      retentionMs: [-1, 30_000, 600_000, 4_000_000][Int(shape & 3)],
      retentionBytes: [-1, 0, 900, 3_000][Int(shape >> 2 & 3)],
      segmentMs: [604_800_000, 600_000, 60_000, 1][Int(shape >> 4 & 3)],
      deleteDelayMs: [60_000, 0, 1_000, 60_000][Int(shape >> 6)])
    do throws(LogError) {
      let text = [
        "retention.ms": "\(settings.retentionMs)", "retention.bytes": "\(settings.retentionBytes)",
        "segment.ms": "\(settings.segmentMs)", "file.delete.delay.ms": "\(settings.deleteDelayMs)",
      ]
      aging.settings = nil
      try manager.alterTopicBlocking("t", TopicConfig(text))
      aging.settings = settings
      expectSettings(settings, log.config)
    } catch {
      expectFault(error, "settings")
    }
    return "settings"
  }

  private func expectSettings(_ settings: RetentionModel.Settings, _ config: LogConfig) {
    let found = RetentionModel.Settings(
      retentionMs: config.retentionMs, retentionBytes: config.retentionBytes,
      segmentMs: config.segmentMs, deleteDelayMs: config.fileDeleteDelayMs)
    require(found == settings, "\(found) where \(settings) was set")
  }

  // MARK: Checks

  /// Time passes, and a check runs.
  private mutating func check(_ choices: inout InputChoices) -> String {
    guard log != nil else { return "no log" }
    let shape = choices.byte()
    aging.clock.pass(
      ms: Self.checkIntervalMs + [0, 1, 540_000, 3_600_000, 36_000_000][Int(shape & 15) % 5])
    planNear(shape >> 4, &choices)
    judgeCheck()
    return "check"
  }

  /// Plans a fault within the next few calls, one time in four.
  mutating func planNear(_ kind: UInt8, _ choices: inout InputChoices) {
    let fault: FaultPlan.Fault
    switch kind & 15 {
    case 0: fault = .powerCut
    case 1: fault = .error(EIO)
    case 2: fault = .error(ENOSPC)
    case 3: fault = .powerCut
    default: return
    }
    let operations: Set<DiskError.Operation> = [
      .write, .sync, .allocate, .rename, .create, .remove,
    ]
    let occurrence = 1 + choices.index(below: 16)
    disk.plan(
      FaultPlan(fault, at: occurrence, operations: fault == .powerCut ? nil : operations))
    aging.count(fault == .powerCut ? "cut near a deletion" : "fault near a deletion")
  }

  /// Runs the due checks, and compares what they delete with Kafka's rules.
  private mutating func judgeCheck(deletesNothing: Bool = false) {
    guard let manager, let log else { return }
    let bases = log.store.state.segments.map(\.baseOffset)
    expectSegments(bases, log)
    let expected = aging.settings.map {
      RetentionModel(
        settings: $0, batches: aging.batches, bases: bases, start: log.logStartOffset,
        end: Int64(records.count), highWatermark: log.highWatermark
      ).outcome(nowMs: aging.clock.wallMs)
    }
    let before = log.logStartOffset
    noteRemoved(bases.first ?? 0)
    let keeper = manager.context.housekeeper
    while keeper.step() {}
    do throws(LogError) {
      try log.health.checkNotFailed()
    } catch {
      expectFault(error, "a check")
    }
    let start = log.logStartOffset
    if deletesNothing {
      require(start == before, "a clock in doubt deletes up to \(start)")
    } else if let expected {
      require(
        start <= expected.start, "\(start) is deleted up to, where \(expected) is the rule")
      if !disk.faultFired {
        require(start == expected.start, "deleted up to \(start), not \(expected)")
        for (rule, count) in expected.counts { aging.count("deleted by \(rule)", count) }
        if expected.takesLast { aging.count("last segment deleted") }
      }
    }
    noteStart(upTo: start == before ? expected?.start ?? Int64(records.count) : start)
    if deletesNothing { aging.startMax = max(aging.startMin, start) }
  }

  /// The segments are the batches, split where batches begin.
  private func expectSegments(_ bases: [Int64], _ log: Log) {
    // The first append makes the first segment.
    guard let first = bases.first else {
      return require(log.logStartOffset == records.count, "records without a segment")
    }
    require(first <= log.logStartOffset, "\(bases) of a log that starts at \(log.logStartOffset)")
    require(zip(bases, bases.dropFirst()).allSatisfy { $0 < $1 }, "\(bases)")
    for base in bases where base < records.count {
      require(aging.batches.contains { $0.base == base }, "no batch begins at \(base)")
    }
  }

  /// The clock jumps ahead and back, and nothing is deleted until it was steady for an interval.
  private mutating func jumpClock() -> String {
    disk.removeFaults()
    guard log != nil, !disk.isCut else { return "no log" }
    aging.clock.pass(ms: Self.checkIntervalMs)
    judgeCheck()
    for jump: Int64 in [864_000_000, -864_000_000] {
      aging.clock.pass(ms: Self.checkIntervalMs)
      aging.clock.jump(ms: jump)
      judgeCheck(deletesNothing: true)
    }
    aging.clock.pass(ms: Self.checkIntervalMs)
    judgeCheck()
    return "clock jump"
  }

  // MARK: Readers of deleted records

  private mutating func hold(_ choices: inout InputChoices) -> String {
    guard let log, aging.held.count < 4 else { return "no log" }
    let start = log.logStartOffset
    guard start < records.count else { return "no log" }
    let offset = start + Int64(choices.index(below: records.count - Int(start)))
    do throws(LogError) {
      guard let found = try LogReader(log).read(from: offset, maxBytes: 300, limit: .logEnd) else {
        fatalError("nothing at \(offset)")
      }
      var bytes: [UInt8] = []
      try found.copy(into: &bytes)
      var batches: [LogModel.Batch] = []
      try LogModel.split(bytes, into: &batches)
      for batch in batches {
        let known = tried[Self.key(batch.bytes)] ?? []
        for (index, record) in known.enumerated() {
          var record = record
          record.offset = batch.baseOffset + Int64(index)
          expect(record, at: record.offset)
        }
        require(batch.nextOffset == batch.baseOffset + Int64(known.count), "an unknown batch")
      }
      aging.held.append(LogAging.Held(records: found, bytes: bytes))
    } catch {
      expectFault(error, "a read to be held")
    }
    return "hold"
  }

  /// Records held by readers are unchanged, or out of range.
  private mutating func useHeld() -> String {
    guard let log else { return "no log" }
    for held in aging.held {
      var bytes: [UInt8] = []
      do throws(LogError) {
        try held.records.copy(into: &bytes)
        require(bytes == held.bytes, "what a reader holds has changed")
        require(
          held.checksSinceRemoval < 2 || disk.faultFired, "deleted records are held for ever")
        let isDeleted = held.records.nextOffset <= log.logStartOffset
        aging.count(isDeleted ? "read of deleted records that were held" : "read of what was held")
      } catch {
        guard isDeletion(error) else {
          expectFault(error, "a read of what was held")
          continue
        }
        require(
          held.checksSinceRemoval > 0, "\(held.records.baseOffset) is out of range too early")
        aging.count("held records out of range")
      }
    }
    return "use of what was held"
  }

  /// Before a check: the log's first segment is at `base`.
  private mutating func noteRemoved(_ base: Int64) {
    for index in aging.held.indices where aging.held[index].records.nextOffset <= base {
      aging.held[index].checksSinceRemoval += 1
    }
  }
}
