internal import CMkstoreShims
internal import CoreMetrics
internal import DiskIO
internal import Logging
internal import MkstoreBytes
internal import Synchronization

/// Makes appends of many logs durable by one write (docs/decisions/0032-journal.md).
///
/// Each log's batches are in its own `.log` already, unsynced; here they are written once more, one
/// after another, past the page cache into files that exist in full length. The logs' own files are
/// synced later, in the background, and the room is used again. Several groups are written at a
/// time, and acknowledged in their order. Any thread.
package final class Journal: Sendable {
  /// How a store uses its journal.
  struct Settings: Sendable {
    /// From so many logs on that wait or are flushed at the same time.
    var logCountMin: Int
    /// Bytes of one file.
    var fileBytes: Int
    /// Most files.
    var filesMax: Int
    /// Whether a thread makes files and syncs logs; otherwise `step` must be called.
    var usesThread: Bool

    /// Most bytes of one group.
    var groupBytesMax: Int {
      min(1 << 20, fileBytes / 4) / JournalLayout.blockBytes * JournalLayout.blockBytes
    }
    /// Most bytes of one log in a group: with more, its own sync costs as little.
    var entryBytesMax: Int { groupBytesMax / 2 }
  }

  /// The journal's state of life.
  enum Phase {
    /// There is none, or it is not used in this session.
    case none
    /// Files are being made.
    case making
    /// It is in use.
    case ready
    /// A write of it failed: nothing is written any more, and its entries wait until their logs are
    /// synced.
    case retired
  }

  struct State {
    var phase = Phase.none
    var ring: JournalRing?
    /// The first group whose write failed.
    var failedFrom = UInt64.max
    /// Files that were filled, whose logs are to be synced.
    var filled: [Int] = []
    var wantsFile = false
    /// Whether all logs that something is kept for are to be synced.
    var wantsAll = false
    /// Number of the first group of a new ring: above those of all before it.
    var nextSequence: UInt64 = 1
    /// No file is made before then.
    var pausedUntilNs = Int64.min
    var isStopping = false
    var isDisabled = false
    var thread: PinnedThread?

    /// Whether the logs of filled files are to be synced now.
    var wantsFilled = false

    var hasWork: Bool { wantsFile || wantsAll || wantsFilled }
  }

  let settings: Settings
  let disk: any Disk
  let directory: String
  let context: Context
  /// Only for extensions of this type.
  let state = Locked(State())
  let usable = Atomic<Bool>(false)
  private let buffers = ReusePool<JournalBuffer>(keptMax: 4)

  /// What it shares with the store.
  struct Context: Sendable {
    var logger: Logger
    var rateLimitedLog: RateLimitedLog
    var metrics: StoreMetrics
    var traffic: SyncTraffic
    /// One sync for many logs, if the disk has one.
    var group: GroupSync?
    var now: @Sendable () -> Int64
  }

  /// After a failure a new journal is made once this has passed.
  static let pauseNs: Int64 = 60_000_000_000

  init(_ disk: any Disk, directory: String, _ settings: Settings, _ context: Context) {
    self.disk = disk
    self.directory = directory
    self.settings = settings
    self.context = context
  }

  /// Whether groups can be written.
  @inline(__always)
  var isUsable: Bool { usable.load(ordering: .acquiring) }

  /// Whether so many logs are better made durable together.
  ///
  /// The first time, this has the journal made; until it is there the answer is no.
  func isWanted(forLogs count: Int) -> Bool {
    guard settings.logCountMin > 0, count >= settings.logCountMin else { return false }
    if isUsable { return true }
    request { state in
      guard state.phase == .none, !state.isDisabled, context.now() >= state.pausedUntilNs else {
        return
      }
      state.phase = .making
      state.wantsFile = true
    }
    return false
  }

  // MARK: Writing

  /// Makes the flushes of several logs durable by one write, and ends them.
  ///
  /// - Returns: Indices of those that are not durable, because there is no room, the write failed,
  ///   or the bytes are not as they were appended. They have not ended: their logs must sync
  ///   themselves.
  func write(_ members: [any JournalMember]) -> [Int] {
    let buffer = buffers.take(where: { _ in true }) { JournalBuffer(settings.groupBytesMax) }
    defer { buffers.give(buffer) }
    var entries = members.map(\.entry)
    let headBytes = entries.reduce(JournalLayout.groupHeaderBytes) { $0 + $1.encodedBytes }
    var end = headBytes
    var taken: [Int] = []
    for index in members.indices {
      let range = end..<end + entries[index].byteCount
      guard JournalLayout.blocks(range.upperBound) <= buffer.byteCount else { continue }
      do throws(DiskError) {
        try buffer.fill(range) { (bytes) throws(DiskError) in
          try members[index].read(into: &bytes)
          entries[index].crc = CRC32C.checksum(bytes.span)
        }
      } catch {
        // Its own sync meets the error, and reports it.
        continue
      }
      entries[index].payloadStart = range.lowerBound
      end = range.upperBound
      taken.append(index)
    }
    let pins = taken.map { (members[$0].client, entries[$0].offsets.upperBound) }
    let isDurable = !taken.isEmpty && write(taken.map { entries[$0] }, end, pins, buffer)
    guard isDurable else { return Array(members.indices) }
    for index in taken { members[index].end(isDurable: true) }
    let isTaken = Set(taken)
    return members.indices.filter { !isTaken.contains($0) }
  }

  /// Ends all earlier entries of logs below an offset, durably: from here on their bytes may be
  /// changed.
  ///
  /// The logs' own files must have been synced up to there, or the logs be gone.
  func end(_ logs: [(name: String, end: Int64)]) throws(DiskError) {
    guard state.withLock({ $0.ring != nil }) else { return }
    let entries = logs.map { name, end in
      JournalEntry(
        logName: name, topicId: .zero, segmentBase: 0, position: 0, byteCount: 0, offsets: 0..<end,
        payloadStart: 0, crc: 0, isVoid: true)
    }
    var rest = entries[...]
    while !rest.isEmpty {
      var part: [JournalEntry] = []
      var size = JournalLayout.groupHeaderBytes
      while let entry = rest.first, size + entry.encodedBytes <= settings.groupBytesMax {
        size += entry.encodedBytes
        part.append(rest.removeFirst())
      }
      for index in part.indices { part[index].payloadStart = size }
      let buffer = JournalBuffer(settings.groupBytesMax)
      if write(part, size, [], buffer) { continue }
      // There is no room, or the journal failed.
      syncAll()
      if write(part, size, [], buffer) { continue }
      return try reset()
    }
  }

  private func write(
    _ entries: [JournalEntry], _ end: Int, _ pins: [(any JournalClient, Int64)],
    _ buffer: JournalBuffer
  ) -> Bool {
    let byteCount = JournalLayout.blocks(end)
    var ringId = Uuid.zero
    var filled: Int?
    let place = state.withLock { state -> JournalRing.Place? in
      guard state.phase == .ready, state.ring != nil, let taken = state.ring!.take(byteCount) else {
        return nil
      }
      ringId = state.ring!.id
      filled = taken.filled
      for (client, end) in pins { state.ring!.pin(client, until: end, in: taken.place.index) }
      return taken.place
    }
    guard let place else {
      askForRoom()
      return false
    }
    request { noteTaken(&$0, filled: filled) }
    let head = JournalGroupHead(
      ringId: ringId, sequence: place.sequence, durableBelow: place.durableBelow,
      liveFrom: place.liveFrom, byteCount: byteCount, entries: entries)
    buffer.fill(0..<byteCount) { bytes in
      head.encode(into: &bytes)
      for index in end..<byteCount { bytes[index] = 0 }
    }
    var failure: DiskError?
    do throws(DiskError) {
      try context.traffic.sync { () throws(DiskError) in
        try buffer.write(byteCount, to: place.file, at: place.position)
      }
      context.traffic.noteSynced(byteCount)
    } catch {
      failure = error
    }
    return finish(place, failure)
  }

  /// Asks for what the next groups will need. Logs are synced late: until half of the journal is
  /// filled, so that their bytes go to the disk in few large writes, or not at all if the kernel
  /// has written them meanwhile.
  private func noteTaken(_ state: inout State, filled: Int?) {
    if let filled { state.filled.append(filled) }
    if state.filled.count >= settings.filesMax / 2 { state.wantsFilled = true }
    if let ring = state.ring, ring.isShort, mayGrow(state, ring) { state.wantsFile = true }
  }

  /// Waits until every group before this one is durable too.
  private func finish(_ place: JournalRing.Place, _ failure: DiskError?) -> Bool {
    let sequence = place.sequence
    if let failure {
      state.withLock { state in
        state.failedFrom = min(state.failedFrom, sequence)
        state.phase = .retired
        state.wantsAll = true
      }
      usable.store(false, ordering: .releasing)
      context.logger.error(
        "a write of the journal failed; each log is synced by itself until there is a new one",
        metadata: ["cause": "\(failure)"])
    }
    var isDurable = false
    _ = state.wait { state in
      if state.failedFrom <= sequence { return true }
      guard state.ring?.durableBelow == sequence else { return false }
      state.ring?.durableBelow = sequence + 1
      isDurable = true
      return true
    }
    state.withLock { $0.ring?.endWrite(in: place.index) }
    state.broadcast()
    if isDurable { context.metrics.journalWrites.increment() }
    return isDurable
  }

  private func askForRoom() {
    request { state in
      guard let ring = state.ring, state.phase == .ready else { return }
      if mayGrow(state, ring) { state.wantsFile = true }
      state.wantsAll = true
    }
  }

  // MARK: The journal's own thread

  /// Has something done by the journal's thread; in a simulation by the next `step`.
  private func request(_ change: (inout State) -> Void) {
    state.withLock { state in
      change(&state)
      guard settings.usesThread, state.hasWork, state.thread == nil, !state.isStopping else {
        return
      }
      state.thread = PinnedThread(name: "mkstore-journal", core: nil) { [self] in
        while step(waiting: true) {}
      }
    }
    state.broadcast()
  }

  /// Has the logs synced of which the journal holds anything, so that an opening after a crash
  /// finds little to do.
  func empty() {
    request { state in
      if state.ring != nil { state.wantsAll = true }
    }
  }

  /// Does what is due; false when the thread must end.
  @discardableResult
  func step(waiting: Bool) -> Bool {
    var todo = State()
    let collect: (inout State) -> Bool = { state in
      guard state.hasWork || state.isStopping else { return false }
      (todo.wantsFile, todo.wantsAll, todo.filled) = (
        state.wantsFile, state.wantsAll, state.filled
      )
      (state.wantsFile, state.wantsAll, state.wantsFilled) = (false, false, false)
      state.filled = []
      todo.isStopping = state.isStopping
      return true
    }
    if waiting { _ = state.wait(until: collect) } else { _ = state.withLock(collect) }
    if todo.isStopping { return false }
    if todo.wantsFile { makeFile() }
    if todo.wantsAll { syncAll() } else { sync(waitedFor(by: todo.filled)) }
    giveUpIfRetired()
    return true
  }

  private func mayGrow(_ state: State, _ ring: JournalRing) -> Bool {
    state.phase == .ready && ring.files.count < settings.filesMax
      && context.now() >= state.pausedUntilNs
  }

  /// Ends the thread; entries stay for the next opening unless `reset` follows.
  func stop() {
    let thread = state.withLock { state in
      state.isStopping = true
      defer { state.thread = nil }
      return state.thread
    }
    state.broadcast()
    thread?.join()
  }

  /// Uses no journal in this session: the old one could not be emptied.
  func disable() {
    usable.store(false, ordering: .releasing)
    state.withLock { $0.isDisabled = true }
  }
}
