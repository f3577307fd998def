internal import DiskIO

/// The files of a journal and what each still has to keep. Guarded by the journal's lock.
///
/// Files are written and reused strictly in turn, the oldest first: so an entry that ends earlier
/// ones is never overwritten before them.
struct JournalRing {
  /// One file of the ring.
  struct File {
    let index: Int
    let file: any DiskFile
    let size: Int
    /// Where the next group begins.
    var position = JournalLayout.blockBytes
    /// Number of the first group in it; nil before there is one.
    var firstSequence: UInt64?
    /// Logs that need groups of it, and up to which offset.
    var pins: [ObjectIdentifier: Pin] = [:]
    /// Groups that are being written.
    var inFlight = 0

    /// Whether nothing in it is needed any more.
    var isDone: Bool { inFlight == 0 && pins.values.allSatisfy(\.isReleased) }
  }

  /// A log that needs a file.
  struct Pin {
    let client: any JournalClient
    /// Until the log's own files are durable up to here.
    var end: Int64

    var isReleased: Bool { client.needsNoJournal || client.recoveryPoint >= end }
  }

  /// The place of a group.
  struct Place {
    var file: any DiskFile
    var index: Int
    var position: Int
    var sequence: UInt64
    var liveFrom: UInt64
    var durableBelow: UInt64
  }

  let id: Uuid
  /// In the order in which they are written.
  private(set) var files: [File]
  private(set) var current = 0
  private(set) var nextSequence: UInt64
  /// Groups below it hold nothing that is needed.
  private(set) var liveFrom: UInt64
  /// Groups below it are durable.
  var durableBelow: UInt64

  init(id: Uuid, files: [File], nextSequence: UInt64) {
    self.id = id
    self.files = files
    self.nextSequence = nextSequence
    liveFrom = nextSequence
    durableBelow = nextSequence
  }

  /// The number of a file that does not exist yet.
  var unusedIndex: Int { (files.map(\.index).max() ?? -1) + 1 }

  /// Whether the current file is half full and the next one is still needed.
  var isShort: Bool {
    let file = files[current]
    return file.position > file.size / 2 && !isFree((current + 1) % files.count)
  }

  /// Whether nothing of the whole ring is needed any more.
  var isEmpty: Bool { files.allSatisfy(\.isDone) }

  private func isFree(_ index: Int) -> Bool {
    index != current && files[index].isDone
  }

  /// Adds a file that is written to after the current one.
  mutating func insert(_ file: File) { files.insert(file, at: current + 1) }

  /// Takes room for a group; nil if there is none.
  ///
  /// - Returns: The place, and the index of a file that was filled by it.
  mutating func take(_ byteCount: Int) -> (place: Place, filled: Int?)? {
    var filled: Int?
    if files[current].position + byteCount > files[current].size {
      let next = (current + 1) % files.count
      guard JournalLayout.blockBytes + byteCount <= files[next].size, isFree(next) else {
        return nil
      }
      filled = files[current].index
      current = next
      files[current].pins = [:]
      files[current].position = JournalLayout.blockBytes
      files[current].firstSequence = nil
    }
    raiseLiveFrom()
    let place = Place(
      file: files[current].file, index: files[current].index, position: files[current].position,
      sequence: nextSequence, liveFrom: liveFrom, durableBelow: durableBelow)
    files[current].position += byteCount
    files[current].inFlight += 1
    files[current].firstSequence = files[current].firstSequence ?? nextSequence
    nextSequence += 1
    return (place, filled)
  }

  private mutating func raiseLiveFrom() {
    for step in 1...files.count {
      let file = files[(current + step) % files.count]
      guard let first = file.firstSequence else { continue }
      if !file.isDone {
        liveFrom = max(liveFrom, first)
        return
      }
    }
    liveFrom = max(liveFrom, files[current].firstSequence ?? nextSequence)
  }

  /// Records that a log needs a group until it is synced up to `end`.
  mutating func pin(_ client: any JournalClient, until end: Int64, in index: Int) {
    guard let slot = files.firstIndex(where: { $0.index == index }) else { return }
    let id = ObjectIdentifier(client)
    let known = files[slot].pins[id]?.end ?? end
    files[slot].pins[id] = Pin(client: client, end: max(known, end))
  }

  /// Drops what was kept for a log.
  mutating func unpin(_ client: any JournalClient) {
    for slot in files.indices { files[slot].pins[ObjectIdentifier(client)] = nil }
  }

  mutating func endWrite(in index: Int) {
    guard let slot = files.firstIndex(where: { $0.index == index }) else { return }
    files[slot].inFlight -= 1
  }

  /// Logs that some files, or all of them, still wait for.
  func waitedFor(by indices: [Int]?) -> [any JournalClient] {
    var found: [ObjectIdentifier: any JournalClient] = [:]
    for file in files where indices?.contains(file.index) ?? true {
      for (id, pin) in file.pins where !pin.isReleased { found[id] = pin.client }
    }
    return Array(found.values)
  }

  /// Whether the ring may hold batches of a log that were not synced yet.
  func holds(_ client: any JournalClient) -> Bool {
    files.contains { $0.pins[ObjectIdentifier(client)].map { !$0.isReleased } ?? false }
  }
}
