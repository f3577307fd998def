internal import DiskIO
internal import Logging
internal import RecordFormat

/// Reads and keeps a log's producer state, against which its writer checks batches, and where the
/// transactions of a broker ended. Owns its files. Any thread.
package final class ProducerKeeper: Sendable {
  let log: LogEnvironment
  let store: SegmentStore
  let offsets: LogOffsets
  let access: SegmentAccess
  let tracking: ProducerTracking
  private let role: FlushRole
  private let health: LogHealth
  /// The state in a log that another process writes, as of the last read.
  private let followed: Locked<ProducerState?>
  /// The one producer snapshot that is at no segment's base.
  private let stray = Locked<Int64?>(nil)

  init(
    _ access: SegmentAccess, _ tracking: ProducerTracking, _ role: FlushRole,
    followed: ProducerState?
  ) {
    self.access = access
    self.tracking = tracking
    self.role = role
    self.followed = Locked(followed)
    log = access.log
    store = access.store
    offsets = access.offsets
    health = access.health
  }

  /// Records which snapshot is at no segment's base now; returns the previous one.
  func replaceStray(by offset: Int64?) -> Int64? {
    stray.withLock { stray in
      defer { stray = offset }
      return stray
    }
  }

  /// Whether the state need not be read first: it is loaded, and no other process changes it.
  private var isUpToDate: Bool { tracking.isLoaded && !log.isReadOnly }

  // MARK: What readers of transactions need

  /// All records below this offset belong to no open transaction: where a reader of committed
  /// records stops. Never beyond the high watermark.
  ///
  /// - Throws: As `loadProducers`, which the first call does.
  /// - Complexity: Three atomic loads once the producer state is loaded.
  package func lastStableOffset() throws(LogError) -> Int64 {
    try load()
    return min(offsets.acknowledged.value, max(tracking.firstOpenOffset, store.startOffset))
  }

  /// The aborted transactions that a reader of the offsets from `offset` up to `end` needs, by
  /// rising last offset.
  ///
  /// - Throws: `.disk`.
  package func abortedTransactions(from offset: Int64, to end: Int64) throws(LogError)
    -> [AbortedTransaction]
  {
    try load()
    let (derivedStart, derived) = tracking.derived
    var found: [AbortedTransaction] = []
    func add(_ entries: [AbortedTransaction], below limit: Int64) -> Bool {
      for entry in entries where entry.lastOffset < limit {
        if entry.lastOffset >= offset, entry.firstOffset < end { found.append(entry) }
        if entry.lastStableOffset >= end { return true }
      }
      return false
    }
    let state = store.state
    let first = state.index(of: offset) ?? 0
    for segment in state.segments.dropFirst(first)
    where state.transactionIndexes.contains(segment.baseOffset) {
      if segment.baseOffset >= derivedStart { break }
      if add(try transactionIndex(of: segment), below: derivedStart) { return found }
    }
    _ = add(derived, below: Int64.max)
    return found
  }

  // MARK: Reading the state

  /// Reads the state of the log's producers, if it was not read yet: the newest snapshot, and the
  /// log from there on. Blocks, so not for an event loop; the first append does it too.
  ///
  /// - Throws: `.disk` if the log cannot be read; a snapshot that cannot be read is skipped.
  package func load() throws(LogError) {
    if isUpToDate { return }
    role.take()
    defer { role.giveBack() }
    try health.checkPresent()
    try access.retrying { () throws(LogError) in
      if log.isReadOnly { return try follow() }
      if !tracking.isLoaded { try read() }
    }
  }

  /// The first read. Nothing is appended meanwhile: the first append of a session does this first.
  private func read() throws(LogError) {
    let times = ProducerTimes(log, store.state)
    let start = try newestState { times.activeMs($0.lastOffset, timestamp: $0.timestamp) }
    let scanStart = start.endOffset
    let replay = ProducerReplay(start)
    try scan(replay, upTo: offsets.end.value)
    noteIds(replay.state)
    replay.state.expire(nowMs: log.context.clock.expiryMs())
    access.writer?.setProducers(replay.state)
    let state = store.state
    let bases = Set(state.segments.map(\.baseOffset))
    stray.withLock { $0 = state.snapshotOffsets.last { !bases.contains($0) } }
    tracking.setReady(replay.state, aborted: replay.aborted, from: scanStart)
  }

  /// For a log that another process writes: continues from the last read.
  private func follow() throws(LogError) {
    let known = followed.withLock { $0 }
    let end = offsets.end.value
    if let known, known.endOffset >= end { return }
    let times = ProducerTimes(log, store.state)
    let state =
      if let known {
        known
      } else {
        try newestState { times.activeMs($0.lastOffset, timestamp: $0.timestamp) }
      }
    let replay = ProducerReplay(state)
    try scan(replay, upTo: end)
    replay.state.endOffset = max(replay.state.endOffset, end)
    followed.withLock { $0 = replay.state }
    tracking.setReady(replay.state, aborted: replay.aborted, from: state.endOffset)
  }

  /// The newest state in a file: our own of all five batches, or Kafka's snapshot of the last ones,
  /// whichever is newer.
  ///
  /// If ours cannot be read, an older snapshot is used and more of the log is read, as far back as
  /// clients may have batches in flight: with the last batch alone, repeated earlier ones would be
  /// refused as out of order.
  ///
  /// - Parameter activeMs: When a producer was last active, as far as is known.
  private func newestState(
    activeMs: (ProducerSnapshot.Producer) -> Int64
  ) throws(LogError) -> ProducerState {
    let end = offsets.end.value
    func snapshot(atOrBelow offset: Int64) -> ProducerState {
      snapshotState(atOrBelow: offset, activeMs: activeMs)
    }
    guard tracking.isOwn else { return snapshot(atOrBelow: end) }
    do throws(CheckpointError) {
      let newest = snapshot(atOrBelow: end)
      let own = try ProducerFile.read(
        log.directory, expirationMs: log.context.producerExpirationMs)
      if let own, own.endOffset <= end, own.endOffset >= newest.endOffset { return own }
      return newest
    } catch {
      // An exhausted resource may become available again.
      if case .disk(let cause) = error, cause.isShortage { throw LogError(cause) }
      log.context.rateLimitedLog.log(
        .warning, cause: "producer state of \(log.topicPartition)",
        "the producer state cannot be read; it is rebuilt from the log",
        metadata: ["log": "\(log.topicPartition)", "error": "\(error)"])
      return snapshot(atOrBelow: try baseOffset(ofLast: SessionMark.intervalBytes))
    }
  }

  /// Base offset of the segment in which the log's last bytes begin.
  private func baseOffset(ofLast byteCount: Int) throws(LogError) -> Int64 {
    var byteCount = byteCount
    let list = store.state.segments
    for segment in list.reversed() {
      do throws(DiskError) {
        byteCount -= try log.disk.status(segment.path(.log))?.size ?? 0
      } catch {
        throw LogError(error)
      }
      if byteCount <= 0 { return segment.baseOffset }
    }
    return list.first?.baseOffset ?? store.startOffset
  }

  /// Reports to the store which producer ids the newest files contain, for assigning ids: a small
  /// file or two, if the state was not read yet.
  package func noteSnapshotIds() {
    if tracking.isLoaded { return }
    do throws(LogError) {
      noteIds(try newestState { $0.timestamp })
    } catch {
      noteIds(snapshotState(atOrBelow: offsets.end.value) { $0.timestamp })
    }
  }

  private func noteIds(_ state: ProducerState) {
    for producerId in state.producers.keys {
      log.context.knownProducerIds.note(producerId)
    }
  }

  /// The state from the newest readable snapshot; without one, an empty state at the log's first
  /// segment.
  private func snapshotState(
    atOrBelow end: Int64, activeMs: (ProducerSnapshot.Producer) -> Int64
  ) -> ProducerState {
    for offset in store.state.snapshotOffsets.reversed() where offset <= end {
      let path = log.directory.path(SegmentName(offset, .snapshot).fileName)
      do throws(CheckpointError) {
        guard let snapshot = try ProducerSnapshot.read(log.disk, path) else { continue }
        return ProducerState(
          snapshot, endOffset: offset, expirationMs: log.context.producerExpirationMs,
          activeMs: activeMs)
      } catch {
        log.context.rateLimitedLog.log(
          .warning, cause: "reading a producer snapshot of \(log.topicPartition)",
          "a producer snapshot cannot be read; an older one is used",
          metadata: ["log": "\(log.topicPartition)", "error": "\(error)"])
      }
    }
    return ProducerState(
      endOffset: store.state.segments.first?.baseOffset ?? store.startOffset,
      expirationMs: log.context.producerExpirationMs)
  }

  /// Processes the batches from the state's end up to `end`; damage is skipped.
  func scan(_ replay: ProducerReplay, upTo end: Int64) throws(LogError) {
    let times = ProducerTimes(log, store.state)
    try access.forEachView(from: replay.state.endOffset) { (view) throws(LogError) in
      guard replay.state.endOffset < end else { return false }
      let position = try scanStart(view, for: replay.state.endOffset)
      try view.walk(from: position) { (header, _, bytes) throws(LogError) in
        guard header.baseOffset < end else { return false }
        replay.take(
          header, bytes,
          activeMs: header.producerId < 0
            ? 0 : times.activeMs(header.lastOffset, timestamp: header.maxTimestamp))
        return true
      }
      return true
    }
  }

  /// A batch's position at or before `offset`, by a few entries of the index. Not through a
  /// mapping, since the index of the last segment is about to be opened for appending.
  private func scanStart(_ view: SegmentView, for offset: Int64) throws(LogError) -> Int {
    guard offset > view.segment.baseOffset else { return 0 }
    do throws(DiskError) {
      var probe = try IndexProbe(
        baseOffset: view.segment.baseOffset, log: view.files.log, disk: log.disk,
        path: view.segment.path)
      let end = try view.files.log.size()
      return try probe.prefix(below: end, offset: offset)?.lastOffset?.position ?? 0
    } catch {
      throw LogError(error)
    }
  }

  /// The entries of a segment's transaction index, derived from the log if it cannot be read.
  func transactionIndex(of segment: Segment) throws(LogError) -> [AbortedTransaction] {
    if let known = tracking.index(at: segment.baseOffset) { return known }
    let path = segment.path(.txnindex)
    do throws(CheckpointError) {
      guard let bytes = try SmallFile.read(log.disk, path) else { return [] }
      let entries = try AbortedTransaction.decode(
        bytes.span, baseOffset: segment.baseOffset, path: path)
      tracking.keepIndex(entries, at: segment.baseOffset)
      return entries
    } catch {
      log.context.rateLimitedLog.log(
        .warning, cause: "transaction index of \(log.topicPartition)",
        "a transaction index cannot be read; the log is read instead",
        metadata: ["log": "\(log.topicPartition)", "error": "\(error)"])
    }
    let replay = ProducerReplay(
      snapshotState(atOrBelow: segment.baseOffset) { $0.timestamp })
    let next = store.state.segment(after: segment)?.baseOffset
    try scan(replay, upTo: next ?? max(offsets.end.value, segment.baseOffset))
    let entries = replay.aborted.filter { $0.lastOffset >= segment.baseOffset }
    tracking.keepIndex(entries, at: segment.baseOffset)
    return entries
  }
}
