internal import DiskIO
internal import Synchronization

/// The mark of a session: how far this engine has written the log, and how much of that is durable
/// (docs/durability.md#mark). For the holder of the flush role, unless stated otherwise.
final class SessionMark: Sendable {
  /// After this many flushed bytes the mark is made durable. Bounds what the next opening scans
  /// after a power cut (docs/performance.md#recovery).
  static let intervalBytes = 64 << 20

  private struct State {
    /// The mark file, opened by the first write.
    var file: DurableMark?
    /// Bytes flushed since the mark was last made durable.
    var bytesSinceDurable = 0
    /// Last flushed position, for counting these bytes.
    var flushedPosition = 0
    /// The last record noted, for the next durable mark.
    var lastRecord: MarkRecord?
  }

  private let log: LogEnvironment
  private let writer: Writer
  private let settling: IndexSettling
  /// How the log was found when it was opened.
  private let opened: Opened
  private let state = Locked(State())
  private let current = Atomic<Bool>(false)

  /// What opening found of the mark.
  struct Opened: Sendable {
    /// Whether there was one, so that a clean close must make it clean.
    var hadMark: Bool
    /// Whether the log was closed cleanly.
    var wasClean: Bool

    /// Whether the mark was copied here, so that the first write replaces it.
    var isCopy: Bool

    init(hadMark: Bool, isCopy: Bool, wasClean: Bool) {
      self.hadMark = hadMark
      self.isCopy = isCopy
      self.wasClean = wasClean
    }

    /// Whether the file is continued; otherwise a new one replaces it.
    var goesOn: Bool { wasClean && !isCopy }
  }

  init(
    _ log: LogEnvironment, _ writer: Writer, _ settling: IndexSettling, _ opened: Opened
  ) {
    self.log = log
    self.writer = writer
    self.settling = settling
    self.opened = opened
  }

  /// Whether the mark says durably that this session appends. Any thread.
  @inline(__always)
  var isCurrent: Bool { current.load(ordering: .acquiring) }

  /// Whether there was a mark when the log was opened. Any thread.
  var hadMark: Bool { opened.hadMark }

  /// Whether the mark was copied here. Any thread.
  var isCopy: Bool { opened.isCopy }

  /// Whether the directory has a mark that tells the next session who wrote the log. Any thread.
  var isThere: Bool { opened.hadMark || state.withLock { $0.file != nil } }

  /// Says durably, before the first byte of a session is appended, that this engine writes from the
  /// recovery point on. Costs one sync per log and session.
  func begin(recoveryPoint: Int64) throws(DiskError) {
    if isCurrent { return }
    // The mark will count the entries below it as durable.
    let active = settling.sync(try writer.activate())
    let record = writer.markRecord(of: active, recoveryPoint: recoveryPoint, isClean: false)
    let file: DurableMark
    if opened.goesOn {
      file = try DurableMark.open(log.directory).0
      try file.noteDurable(record)
    } else {
      file = try DurableMark.replace(log.directory, with: record)
    }
    try log.disk.syncDirectory(log.path)
    state.withLock { state in
      state.file = file
      state.flushedPosition = record.position
      state.lastRecord = record
    }
    current.store(true, ordering: .releasing)
  }

  /// Position up to which the segment was flushed before.
  func flushedPosition(in active: ActiveSegment) -> Int {
    state.withLock { state in
      state.lastRecord?.segmentBaseOffset == active.baseOffset ? state.flushedPosition : 0
    }
  }

  /// Bytes of the segment that no flush has covered.
  func unflushedBytes(of active: ActiveSegment) -> Int {
    state.withLock { max(0, active.position - $0.flushedPosition) }
  }

  /// Writes to the mark what was just made durable.
  ///
  /// - Returns: Whether the mark should be made durable soon.
  func note(_ work: FlushWork) throws(DiskError) -> Bool {
    guard let active = work.active, let record = work.record else { return false }
    let (file, isDue) = state.withLock { state -> (DurableMark?, Bool) in
      let byteCount = max(0, active.position - state.flushedPosition)
      log.context.syncTraffic.noteSynced(byteCount)
      state.bytesSinceDurable += byteCount
      if !work.sealed.isEmpty { state.bytesSinceDurable += Self.intervalBytes }
      state.flushedPosition = active.position
      state.lastRecord = record
      return (state.file, state.bytesSinceDurable >= Self.intervalBytes)
    }
    precondition(
      record.recoveryPoint == work.target && record.segmentBaseOffset == active.baseOffset,
      "I7: a mark at \(record.recoveryPoint) in segment \(record.segmentBaseOffset) of a flush to "
        + "\(work.target) in \(active.baseOffset)")
    settling.writeOut(active)
    try file?.noteFlushed(record)
    return isDue
  }

  /// Whether enough was flushed since the mark was last durable to make it durable again. Any
  /// thread.
  func isDue(force: Bool) -> Bool {
    let limit = force ? 1 : Self.intervalBytes
    return state.withLock { $0.bytesSinceDurable >= limit }
  }

  /// Makes the mark durable.
  func makeDurable() throws(DiskError) {
    let (file, record) = state.withLock { ($0.file, $0.lastRecord) }
    if let file, let record { try write(record, to: file) }
  }

  /// Makes the mark say that the log was closed cleanly, if it has one.
  func close(_ active: ActiveSegment, recoveryPoint: Int64) throws(DiskError) {
    let record = writer.markRecord(of: active, recoveryPoint: recoveryPoint, isClean: true)
    var file = state.withLock { $0.file }
    if file == nil, opened.hadMark {
      file =
        opened.goesOn
        ? try DurableMark.open(log.directory).0
        : try DurableMark.replace(log.directory, with: record)
    }
    if let file { try write(record, to: file) }
  }

  /// The same for a log whose last segment ends damaged, so that there is no active one: otherwise
  /// a killed session's mark would still say that everything after its point is unfinished.
  func close(recoveryPoint: Int64) throws(DiskError) {
    guard let newest = try DurableMark.read(log.directory).newest, !newest.isClean,
      let record = try writer.markRecord(recoveryPoint: recoveryPoint)
    else { return }
    _ = try DurableMark.replace(log.directory, with: record)
  }

  /// The active indexes come first, so that everything below a durable mark has its entries. If a
  /// roll has overtaken a record, it is left to the next flush, which has a newer one.
  private func write(_ record: MarkRecord, to file: DurableMark) throws(DiskError) {
    guard let active = writer.active, active.baseOffset == record.segmentBaseOffset else { return }
    _ = settling.sync(active)
    try file.noteDurable(record)
    state.withLock { state in
      state.bytesSinceDurable = 0
      state.lastRecord = record
    }
  }

  /// Closes the file.
  func release() { state.withLock { $0.file = nil } }
}
