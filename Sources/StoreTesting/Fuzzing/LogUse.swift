import DiskIO
import Glibc
import LogStore
import Logging
import RecordFormat

/// A program's use of one log, and the expected content: the sessions, the appends and the disk.
struct LogUse {
  static let silent = Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }
  static let topicPartition = LogUse.name()

  private let config: StoreConfig
  private(set) var disk: SimulatedDisk
  private(set) var manager: Store?
  var log: Log?
  /// Whether making the log was acknowledged.
  private var isMade = false
  var model = LogModel()
  /// The records in the log, and earlier ones before them: that of offset `i` at `i`.
  var records: [Record] = []
  /// The records of each attempted batch, by its bytes except offset and epoch.
  private(set) var tried: [[UInt8]: [Record]] = [:]
  var reader: LogReader?
  /// The log as read by another process.
  var follower: Log?
  var aging: LogAging

  /// Opens a new store on an empty disk.
  init(_ choices: inout InputChoices) {
    var config = StoreConfig()
    config.createsStore = true
    config.startsFlusher = false
    config.loaderThreads = 1
    config.fetcherCores = []
    let clock = SimulatedClock()
    config.nowMs = { clock.wallMs }
    config.monotonicNs = { clock.monotonicMs * 1_000_000 }
    config.retentionCheckIntervalMs = Int(Self.checkIntervalMs)
    config.clockDoubtWaitMs = 0
    let flags = choices.byte()
    config.mapsIndexes = flags & 1 != 0
    config.log.durability = flags & 2 != 0 ? .flushed : .operatingSystem
    config.log.segmentBytes = [900, 2000, 10_000, 100_000][Int(flags >> 2 & 3)]
    config.log.indexIntervalBytes = [0, 100, 1000, 4096][Int(flags >> 4 & 3)]
    config.log.segmentIndexBytes = flags & 64 != 0 ? 48 : 4096
    aging = LogAging(clock)
    aging.isOn = flags & 128 != 0
    if aging.isOn { config.log.segmentBytes = [900, 1200, 2000, 6000][Int(flags >> 2 & 3)] }
    self.config = config
    disk = SimulatedDisk(seed: UInt64(flags))
    open(after: .killed, &choices)
    if aging.isOn { _ = alter(&choices) }
  }

  private static func name() -> TopicPartition {
    do throws(TopicPartitionError) {
      return try TopicPartition(topic: "t", partition: 0)
    } catch {
      fatalError("\(error)")
    }
  }

  /// Does one step and compares; returns its name.
  mutating func step(_ choices: inout InputChoices) -> String {
    let name = aging.isOn ? age(&choices) : act(&choices)
    if disk.isCut { cutPower(&choices) }
    return name
  }

  private mutating func act(_ choices: inout InputChoices) -> String {
    switch choices.byte() % 32 {
    case 0..<6: return append(.records, &choices)
    case 6..<9: return append(.batch, &choices)
    case 9..<12: return append(.write, &choices)
    case 12..<16: return fetch(&choices)
    case 16..<18: return lookUp(&choices)
    case 18..<20: return lookUpTime(&choices)
    case 20..<22: return follow()
    case 22..<24: return flush()
    case 24: return close(&choices)
    case 25: return kill(&choices)
    case 26:
      cutPower(&choices)
      return "power cut"
    case 27..<29: return planFault(&choices)
    case 29:
      disk.removeFaults()
      return "no faults"
    case 30: return reopen()
    default: return delete(&choices)
    }
  }

  /// The last cut, and a check of the content after it.
  mutating func finish(_ choices: inout InputChoices) {
    cutPower(&choices)
    disk.removeFaults()
    _ = close(&choices)
  }

  /// An error needs a reason: a fault that occurred. After a failed sync the next opening reads the
  /// disk's content, so records that were not durable may be lost.
  mutating func expectFault(_ error: LogError, _ what: String) {
    require(disk.faultFired, "\(what) without a fault: \(error)")
    switch error.kind {
    case .disk(let cause), .diskFull(let cause), .poisoned(_, let cause):
      if cause.operation == .sync { model.noteFailedSync() }
    default: break
    }
  }

  // MARK: Appending

  enum Way { case records, batch, write }

  mutating func append(_ way: Way, _ choices: inout InputChoices) -> String {
    guard let log else { return "no log" }
    let new = newRecords(&choices)
    var bytes = Self.batch(new)
    let end = Int64(records.count)
    do throws(LogError) {
      let result: AppendResult
      switch way {
      case .records: result = try log.appendBlocking(new.map { NewRecord($0) })
      case .batch: result = try log.appendBlocking(batch: &bytes)
      case .write:
        var span = bytes.mutableSpan
        result = try log.writeBlocking(batch: &span)
      }
      require(result.baseOffset == end, "appended at \(result.baseOffset) of \(end)")
      require(result.lastOffset == end + Int64(new.count) - 1)
      noteAge(new, bytes, at: end)
      require(result.isDurable == (config.log.durability == .flushed && way != .write))
      note(bytes, new, result.isDurable ? .durable(end) : .written(end))
      if result.isDurable { model.noteFlushed(below: result.lastOffset + 1) }
      return "append"
    } catch {
      expectFault(error, "an append")
      if case .diskFull = error.kind {
        require(log.logEndOffset == end, "a full disk, and the log ends at \(log.logEndOffset)")
        return "refused append"
      }
      if log.logEndOffset == end {
        // Of a write that failed half-way the next session may find everything.
        aging.truncated = nil
        tried[Self.key(bytes)] = new
        model.note(bytes, .unknown)
      } else {
        require(log.logEndOffset == end + Int64(new.count), "ends at \(log.logEndOffset)")
        note(bytes, new, .unknown)
      }
      return "failed append"
    }
  }

  private mutating func note(_ bytes: [UInt8], _ new: [Record], _ outcome: LogModel.Outcome) {
    aging.truncated = nil
    noteBatch(new, bytes.count, at: Int64(records.count))
    model.note(bytes, outcome)
    tried[Self.key(bytes)] = new
    for record in new {
      records.append(record)
      records[records.count - 1].offset = Int64(records.count - 1)
    }
  }

  private func newRecords(_ choices: inout InputChoices) -> [Record] {
    let shape = choices.byte()
    return (0..<1 + Int(shape & 3)).map { index in
      let number = records.count + index
      // Times that mostly rise, and sometimes lag or run ahead.
      let time =
        aging.isOn ? age(Int(shape >> 5)) : Int64(1_000 + number * 10) + Int64(shape >> 5) * 7 - 20
      let value = [UInt8](
        repeating: UInt8(truncatingIfNeeded: number), count: Int(shape >> 2 & 7) * 25)
      return Record(offset: 0, timestamp: time, key: [shape], value: value)
    }
  }

  private static func batch(_ records: [Record]) -> [UInt8] {
    var builder = RecordBatchBuilder()
    do throws(BatchError) {
      for record in records {
        _ = try builder.append(
          timestamp: record.timestamp, key: record.key, value: record.value)
      }
      let sealed = try builder.finish()
      return sealed.indices.map { sealed[$0] }
    } catch {
      fatalError("\(error)")
    }
  }

  /// A batch's bytes but for those that a log sets.
  static func key(_ bytes: [UInt8]) -> [UInt8] { Array(bytes[8..<12] + bytes[16...]) }

  mutating func flush() -> String {
    guard let log else { return "no log" }
    do throws(LogError) {
      try log.flushBlocking()
      require(log.recoveryPoint == Int64(records.count), "durable up to \(log.recoveryPoint)")
      model.noteFlushed(below: log.logEndOffset)
    } catch {
      expectFault(error, "a flush")
    }
    return "flush"
  }

  // MARK: Sessions

  mutating func close(_ choices: inout InputChoices) -> String {
    var isClosed = true
    do throws(LogError) {
      try manager?.closeBlocking()
      if log != nil { model.noteFlushed(below: Int64(records.count)) }
    } catch {
      expectFault(error, "a close")
      isClosed = false
    }
    if disk.isCut { return "close" }
    // A close that failed ends as the process does.
    disk = disk.kill()
    open(after: .killed, &choices)
    return isClosed ? "close" : "failed close"
  }

  mutating func kill(_ choices: inout InputChoices) -> String {
    disk = disk.kill()
    open(after: .killed, &choices)
    return "kill"
  }

  mutating func cutPower(_ choices: inout InputChoices) {
    let choice = choices.byte()
    let mode: CrashMode =
      switch choice & 3 {
      case 0: .loseAllUnsynced
      case 1: .choices(UInt64(choice) &* 0x0101_0101_0101_0101)
      default: .random(seed: UInt64(choice))
      }
    disk = disk.crash(mode)
    open(after: .powerCut, &choices)
  }

  /// Opens a failed log again, while the store stays open.
  mutating func reopen() -> String {
    guard let manager, let old = log else { return "no log" }
    do throws(LogError) {
      let reopened = try manager.reopenLogBlocking(Self.topicPartition)
      // A log that has not failed stays unchanged: nothing is synced.
      if reopened === old { return "needless reopen" }
      log = reopened
    } catch {
      expectFault(error, "an opening of the log")
      return "reopen"
    }
    reader = nil
    follower = nil
    endSession()
    if !check(after: .killed) { log = nil }
    return "reopen"
  }

  mutating func delete(_ choices: inout InputChoices) -> String {
    // The state after a failed one is tested by another scenario.
    disk.removeFaults()
    guard let manager, log != nil, !disk.faultFired else { return "no log" }
    do throws(LogError) {
      try manager.deleteLogBlocking(Self.topicPartition)
    } catch {
      fatalError("a deletion without a fault: \(error)")
    }
    forget()
    make()
    return "delete"
  }

  private mutating func forget() {
    isMade = false
    model = LogModel()
    records = []
    aging.forget()
    log = nil
    reader = nil
    follower = nil
  }

  private mutating func make() {
    do throws(LogError) {
      log = try manager?.createLogBlocking(Self.topicPartition)
      isMade = log != nil
    } catch {
      expectFault(error, "making the log")
    }
  }

  /// Opens the store on the disk after an event, and compares.
  private mutating func open(after event: LogModel.Event, _ choices: inout InputChoices) {
    var event = event
    manager = nil
    while true {
      log = nil
      reader = nil
      follower = nil
      endSession()
      if openOnce(after: event) { return }
      if disk.isCut {
        disk = disk.crash(.random(seed: UInt64(choices.byte())))
        event = .powerCut
      } else {
        // The fault is over, and the next process tries again.
        manager = nil
        disk = disk.kill()
      }
    }
  }

  /// - Returns: False if a fault prevented opening or reading the store.
  private mutating func openOnce(after event: LogModel.Event) -> Bool {
    do throws(LogError) {
      let opened = try Store.openBlocking("/data", config: config, disk: disk, logger: Self.silent)
      manager = opened
      if let failed = opened.report.failed.first { throw failed.error }
      log = opened.log(Self.topicPartition)
    } catch {
      expectFault(error, "an opening")
      return false
    }
    if log == nil {
      require(!isMade, "the log is gone")
      forget()
      make()
      return log != nil
    }
    isMade = true
    return check(after: event)
  }

  /// Compares the log's content with the model, and continues from it.
  ///
  /// - Returns: False if it could not be read.
  private mutating func check(after event: LogModel.Event) -> Bool {
    guard let log else { return false }
    let content: [LogModel.Batch]
    do throws(LogError) {
      content = try read(log)
    } catch {
      expectFault(error, "a read after an opening")
      return false
    }
    let start = checkStart(content)
    if let fault = model.fault(in: content, after: event, startingAt: start) {
      let isOther = aging.alternative.map {
        $0.fault(in: content, after: event, startingAt: start) == nil
      }
      if isOther != true {
        let found = content.map { $0.baseOffset..<$0.nextOffset }
        fatalError("\(fault), after \(event): \(found) from \(log.logStartOffset)")
      }
      aging.count("truncation completed by an opening")
    }
    if !disk.faultFired { require(log.damagedRanges.isEmpty, "\(log.damagedRanges)") }
    settle(on: content, from: start)
    require(log.logEndOffset == Int64(records.count), "the log ends at \(log.logEndOffset)")
    return true
  }

  // MARK: Faults

  private static let operations: [Set<DiskError.Operation>] = [
    [.write], [.sync], [.allocate, .truncate], [.rename, .create, .remove], [.read, .open],
    [.write, .sync, .allocate, .truncate, .rename, .create, .remove, .makeDirectory],
  ]

  /// Plans a fault. Names lost by a failed sync of a directory are lost permanently, which no later
  /// session can know, so that fault is left out.
  mutating func planFault(_ choices: inout InputChoices) -> String {
    let occurrence = 1 + choices.index(below: 24)
    let kind = choices.byte()
    let operations = choices.one(of: Self.operations)
    let fault: FaultPlan.Fault =
      switch kind % 5 {
      case 0: .error(EIO)
      case 1: .error(ENOSPC)
      case 2: .error(EMFILE)
      case 3: .shortWrite(kind & 32 != 0 ? EIO : ENOSPC, bytes: kind & 64 != 0 ? nil : 30)
      default: .powerCut
      }
    let isCut = kind % 5 == 4
    disk.plan(
      FaultPlan(
        fault, at: occurrence, isForEver: kind & 128 != 0 && !isCut,
        operations: isCut ? nil : operations))
    return isCut ? "planned cut" : "planned fault"
  }
}
