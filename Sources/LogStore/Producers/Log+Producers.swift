internal import DiskIO
internal import Logging
internal import RecordFormat

extension Log {
  // MARK: What readers of transactions need

  /// All records below this offset belong to no open transaction: where a reader of committed
  /// records stops. Never beyond the high watermark.
  ///
  /// - Throws: As `loadProducers`, which the first call does.
  /// - Complexity: Three atomic loads once the producer state is there.
  public var lastStableOffset: Int64 {
    get throws(LogError) {
      if !producers.isLoaded || isReadOnly { try loadProducers() }
      return min(highWatermark, max(producers.firstOpenOffset, logStartOffset))
    }
  }

  /// The aborted transactions that a reader of the offsets from `offset` up to `end` must know,
  /// by rising last offset.
  ///
  /// - Throws: `.disk`.
  public func abortedTransactions(from offset: Int64, to end: Int64) throws(LogError)
    -> [AbortedTransaction]
  {
    if !producers.isLoaded || isReadOnly { try loadProducers() }
    let (derivedStart, derived) = producers.derived
    var found: [AbortedTransaction] = []
    func add(_ entries: [AbortedTransaction], below limit: Int64) -> Bool {
      for entry in entries where entry.lastOffset < limit {
        if entry.lastOffset >= offset, entry.firstOffset < end { found.append(entry) }
        if entry.lastStableOffset >= end { return true }
      }
      return false
    }
    let segments = segments.snapshot
    let first = segments.index(of: offset) ?? 0
    for segment in segments.segments.dropFirst(first)
    where producers.transactionIndexes.contains(segment.baseOffset) {
      if segment.baseOffset >= derivedStart { break }
      if add(try transactionIndex(of: segment), below: derivedStart) { return found }
    }
    _ = add(derived, below: Int64.max)
    return found
  }

  // MARK: Reading the state

  /// Whether `lastStableOffset` and a batch with a producer id need not read the log first.
  public var isProducerStateLoaded: Bool { producers.isLoaded }

  /// Reads the state of the log's producers, where it was not read yet: the newest snapshot, and
  /// the log from there on. Blocks, so not for an event loop; the first append does it too.
  ///
  /// - Throws: `.disk` where the log cannot be read; a snapshot that cannot be read is passed by.
  public func loadProducers() throws(LogError) {
    while !producers.isLoaded || isReadOnly {
      guard takeFlushRole() else {
        _ = flushRole.wait { !$0.isTaken }
        continue
      }
      defer { giveBackFlushRole() }
      try refuseIfGone()
      if isReadOnly { return try followProducers() }
      if !producers.isLoaded { try readProducers() }
    }
  }

  /// The first look. Nothing is appended meanwhile: the first append of a session does this first.
  private func readProducers() throws(LogError) {
    let times = ProducerTimes(self)
    let start = try newestState { times.activeMs($0.lastOffset, timestamp: $0.timestamp) }
    let scanStart = start.endOffset
    let replay = ProducerReplay(start)
    try scanProducers(replay, upTo: logEndOffset)
    noteIds(replay.state)
    replay.state.expire(nowMs: context.nowMs())
    writer?.withLock { $0.producers = replay.state }
    let bases = Set(segments.snapshot.segments.map(\.baseOffset))
    let stray = producers.snapshotOffsets.last { !bases.contains($0) }
    flushRole.withLock { $0.straySnapshot = stray }
    producers.setReady(replay.state, aborted: replay.aborted, from: scanStart)
  }

  /// Of a log that another process writes: goes on from the last look.
  private func followProducers() throws(LogError) {
    let known = followedProducers.withLock { $0 }
    let end = logEndOffset
    if let known, known.endOffset >= end { return }
    let times = ProducerTimes(self)
    let state =
      if let known {
        known
      } else {
        try newestState { times.activeMs($0.lastOffset, timestamp: $0.timestamp) }
      }
    let replay = ProducerReplay(state)
    try scanProducers(replay, upTo: end)
    replay.state.endOffset = max(replay.state.endOffset, end)
    followedProducers.withLock { $0 = replay.state }
    producers.setReady(replay.state, aborted: replay.aborted, from: state.endOffset)
  }

  /// The newest state that a file holds: our own of all five batches, or Kafka's snapshot of the
  /// last ones, whichever is newer.
  ///
  /// Where ours cannot be read, an older snapshot is taken and more of the log is read, as far back
  /// as the batches may lie that clients have in flight: with the last batch alone, those before it
  /// would be called out of order when they come again.
  ///
  /// - Parameter activeMs: When a producer was last active, as far as is known.
  private func newestState(
    activeMs: (ProducerSnapshot.Producer) -> Int64
  ) throws(LogError) -> ProducerState {
    let end = logEndOffset
    func snapshot(atOrBelow offset: Int64) -> ProducerState {
      snapshotState(atOrBelow: offset, activeMs: activeMs)
    }
    guard producers.isOwn else { return snapshot(atOrBelow: end) }
    do throws(CheckpointError) {
      let newest = snapshot(atOrBelow: end)
      let own = try ProducerFile.read(directory, expirationMs: context.producerExpirationMs)
      if let own, own.endOffset <= end, own.endOffset >= newest.endOffset { return own }
      return newest
    } catch {
      // What has run out may come back.
      if case .disk(let cause) = error, cause.isShortage { throw LogError(cause) }
      context.rateLimitedLog.log(
        .warning, cause: "producer state of \(topicPartition)",
        "the producer state cannot be read; the log tells",
        metadata: ["log": "\(topicPartition)", "error": "\(error)"])
      return snapshot(atOrBelow: try baseOffset(ofLast: Self.markIntervalBytes))
    }
  }

  /// Base offset of the segment in which the log's last bytes begin.
  private func baseOffset(ofLast byteCount: Int) throws(LogError) -> Int64 {
    var byteCount = byteCount
    let list = segments.snapshot.segments
    for segment in list.reversed() {
      do throws(DiskError) {
        byteCount -= try directory.disk.status(segment.path(.log))?.size ?? 0
      } catch {
        throw LogError(error)
      }
      if byteCount <= 0 { return segment.baseOffset }
    }
    return list.first?.baseOffset ?? logStartOffset
  }

  /// Tells the store which producer ids the newest files name, for those who give out ids: a small
  /// file or two, where the state was not read yet.
  package func noteSnapshotIds() {
    if producers.isLoaded { return }
    do throws(LogError) {
      noteIds(try newestState { $0.timestamp })
    } catch {
      noteIds(snapshotState(atOrBelow: logEndOffset) { $0.timestamp })
    }
  }

  private func noteIds(_ state: ProducerState) {
    for producerId in state.producers.keys { context.knownProducerIds.note(producerId) }
  }

  /// The state by the newest snapshot that can be read; without one, nobody is known at the log's
  /// first segment.
  private func snapshotState(
    atOrBelow end: Int64, activeMs: (ProducerSnapshot.Producer) -> Int64
  ) -> ProducerState {
    for offset in producers.snapshotOffsets.reversed() where offset <= end {
      let path = directory.path(SegmentName(offset, .snapshot).fileName)
      do throws(CheckpointError) {
        guard let snapshot = try ProducerSnapshot.read(directory.disk, path) else { continue }
        return ProducerState(
          snapshot, endOffset: offset, expirationMs: context.producerExpirationMs,
          activeMs: activeMs)
      } catch {
        context.rateLimitedLog.log(
          .warning, cause: "reading a producer snapshot of \(topicPartition)",
          "a producer snapshot cannot be read; an older one is used",
          metadata: ["log": "\(topicPartition)", "error": "\(error)"])
      }
    }
    return ProducerState(
      endOffset: segments.snapshot.segments.first?.baseOffset ?? logStartOffset,
      expirationMs: context.producerExpirationMs)
  }

  /// Feeds the batches from the state's end up to `end`; damage is passed over.
  package func scanProducers(_ replay: ProducerReplay, upTo end: Int64) throws(LogError) {
    let snapshot = segments.snapshot
    let first = snapshot.index(of: replay.state.endOffset) ?? 0
    let times = ProducerTimes(self)
    for segment in snapshot.segments.dropFirst(first) where replay.state.endOffset < end {
      let files = try files(of: segment)
      guard Int(try self.end(of: segment).position) > 0 else { continue }
      let position = try scanStart(segment, files, for: replay.state.endOffset)
      try walk(segment, files, from: position) { (header, _, bytes) throws(LogError) in
        guard header.baseOffset < end else { return false }
        replay.take(
          header, bytes,
          activeMs: header.producerId < 0
            ? 0 : times.activeMs(header.lastOffset, timestamp: header.maxTimestamp))
        return true
      }
    }
  }

  /// A batch's position at or before `offset`, by a few entries of the index. Not through a
  /// mapping, since the index of the last segment is about to be opened for appending.
  private func scanStart(_ segment: Segment, _ files: SegmentFiles, for offset: Int64)
    throws(LogError) -> Int
  {
    guard offset > segment.baseOffset else { return 0 }
    do throws(DiskError) {
      var probe = try IndexProbe(
        baseOffset: segment.baseOffset, log: files.log, disk: directory.disk, path: segment.path)
      let end = try files.log.size()
      let entry = try probe.prefix(below: end, offset: offset)?.lastOffset
      return entry?.position ?? 0
    } catch {
      throw LogError(error)
    }
  }

  /// The entries of a segment's transaction index, or what the log says where it cannot be read.
  private func transactionIndex(of segment: Segment) throws(LogError) -> [AbortedTransaction] {
    if let known = producers.index(at: segment.baseOffset) { return known }
    let path = segment.path(.txnindex)
    do throws(CheckpointError) {
      guard let bytes = try SmallFile.read(directory.disk, path) else { return [] }
      let entries = try AbortedTransaction.decode(
        bytes.span, baseOffset: segment.baseOffset, path: path)
      producers.keepIndex(entries, at: segment.baseOffset)
      return entries
    } catch {
      context.rateLimitedLog.log(
        .warning, cause: "transaction index of \(topicPartition)",
        "a transaction index cannot be read; the log tells",
        metadata: ["log": "\(topicPartition)", "error": "\(error)"])
    }
    let replay = ProducerReplay(
      snapshotState(atOrBelow: segment.baseOffset) { $0.timestamp })
    try scanProducers(replay, upTo: nextBaseOffset(after: segment))
    let entries = replay.aborted.filter { $0.lastOffset >= segment.baseOffset }
    producers.keepIndex(entries, at: segment.baseOffset)
    return entries
  }
}
