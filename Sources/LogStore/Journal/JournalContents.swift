package import DiskIO
internal import MkstoreBytes

/// What the files of a journal hold, read after a crash or beside a running writer; nothing is
/// changed.
///
/// All of it is read, not only up to the first group that is missing: a damaged sector hides no
/// group behind it. A group counts if it was acknowledged by what a later one says, or if no group
/// before it is missing. So of the last few, which were in flight, none counts after a gap: its
/// batches were never acknowledged.
package struct JournalContents: Sendable {
  /// An entry, and where its batches are.
  struct Located: Sendable, Equatable {
    var entry: JournalEntry
    var sequence: UInt64
    /// The file, and the position of the batches in it.
    var path: String
    var start: Int
  }

  /// The files, by their number.
  private(set) var files: [Int: String] = [:]
  private(set) var ringId: Uuid?
  /// More groups than are ever in flight: so many may have reached the disk behind one that did
  /// not, where no reader looks for them.
  private static let unseenMax: UInt64 = 64

  /// Above the number of every group on the disk.
  private(set) var nextSequence: UInt64 = 1
  private(set) var damage: [SideFileDamage] = []
  /// Entries that count, by the log's name, in the order in which they were written.
  private(set) var entries: [String: [Located]] = [:]

  /// No journal.
  init() {}

  /// Reads the journal of a store.
  ///
  /// Beside a running writer, which uses files again while they are read, groups may seem to be
  /// missing: only what is missing twice is damage.
  package init(_ disk: any Disk, directory: String) throws(DiskError) {
    self = try JournalContents(reading: disk, directory)
    for _ in 1..<Self.attemptsMax where !damage.isEmpty {
      let again = try JournalContents(reading: disk, directory)
      if again.damage == damage { return }
      self = again
    }
    damage = []
  }

  private static let attemptsMax = 4

  private init(reading disk: any Disk, _ directory: String) throws(DiskError) {
    for entry in try disk.list(directory) where entry.kind == .file {
      guard let index = JournalLayout.index(of: entry.name) else { continue }
      files[index] = "\(directory)/\(entry.name)"
    }
    var groups: [Group] = []
    var headers: [JournalFileHeader] = []
    for (_, path) in files.sorted(by: { $0.key < $1.key }) {
      // It may be given up at this moment.
      guard let file = try disk.openIfPresent(path) else { continue }
      var reader = JournalFileReader(file)
      if let header = try reader.header() { headers.append(header) }
      try reader.forEachGroup { head, position in
        groups.append(Group(head: head, path: path, position: position))
      }
    }
    try take(groups, headers, disk)
  }

  /// Reads the file of one log that was set aside.
  init(keptIn file: any DiskFile, of logName: String) throws(DiskError) {
    var reader = JournalFileReader(file)
    var groups: [Group] = []
    try reader.forEachGroup { head, position in
      groups.append(Group(head: head, path: file.path, position: position))
    }
    // In the order of the file: each addition to it numbers its groups from 0.
    for group in groups { add(group) }
  }

  private struct Group {
    var head: JournalGroupHead
    var path: String
    var position: Int
  }

  private mutating func take(
    _ found: [Group], _ headers: [JournalFileHeader], _ disk: any Disk
  ) throws(DiskError) {
    let newest = found.max { $0.head.sequence < $1.head.sequence }
    ringId = headers.max { $0.liveFrom < $1.liveFrom }?.ringId ?? newest?.head.ringId
    let groups = found.filter { $0.head.ringId == ringId }
      .sorted { $0.head.sequence < $1.head.sequence }
    let liveFrom = max(
      headers.filter { $0.ringId == ringId }.map(\.liveFrom).max() ?? 0,
      groups.map(\.head.liveFrom).max() ?? 0)
    nextSequence = max(liveFrom, groups.last.map { $0.head.sequence + Self.unseenMax } ?? 1, 1)
    let durableBelow = groups.map(\.head.durableBelow).max() ?? 0
    var expected = max(liveFrom, 1)
    for group in groups where group.head.sequence >= expected {
      let sequence = group.head.sequence
      if sequence != expected {
        noteMissing(expected..<sequence, durableBelow)
        // What follows was in flight, and not acknowledged.
        if expected >= durableBelow { return }
      }
      if sequence >= durableBelow, try !isWhole(group, disk) { return }
      expected = sequence + 1
      add(group)
    }
    if expected < durableBelow { noteMissing(expected..<durableBelow, durableBelow) }
  }

  private mutating func noteMissing(_ sequences: Range<UInt64>, _ durableBelow: UInt64) {
    let lost = sequences.clamped(to: sequences.lowerBound..<max(sequences.lowerBound, durableBelow))
    guard !lost.isEmpty, let path = files.min(by: { $0.key < $1.key })?.value else { return }
    damage.append(
      SideFileDamage(
        file: path,
        reason: "\(lost.count) groups of the journal cannot be read, from number "
          + "\(lost.lowerBound) on; what only they held is missing in its logs",
        remedy: nil))
  }

  private mutating func add(_ group: Group) {
    for entry in group.head.entries {
      if entry.isVoid {
        let end = entry.offsets.upperBound
        entries[entry.logName]?.removeAll { $0.entry.offsets.upperBound <= end }
      } else {
        entries[entry.logName, default: []].append(
          Located(
            entry: entry, sequence: group.head.sequence, path: group.path,
            start: group.position + entry.payloadStart))
      }
    }
  }

  /// Whether a group that may have been torn is all there.
  private func isWhole(_ group: Group, _ disk: any Disk) throws(DiskError) -> Bool {
    for entry in group.head.entries where !entry.isVoid {
      let located = Located(
        entry: entry, sequence: 0, path: group.path, start: group.position + entry.payloadStart)
      if try located.batches(disk) == nil { return false }
    }
    return true
  }
}

extension JournalContents.Located {
  /// The entry's batches; nil if they are damaged.
  func batches(_ disk: any Disk) throws(DiskError) -> [UInt8]? {
    do throws(DiskError) {
      guard let file = try disk.openIfPresent(path) else { return nil }
      var bytes = [UInt8](repeating: 0, count: entry.byteCount)
      var span = bytes.mutableSpan
      let count = try file.read(into: &span, at: start)
      return count == bytes.count && CRC32C.checksum(bytes.span) == entry.crc ? bytes : nil
    } catch  where error.isUnreadableSector {
      return nil
    }
  }
}

/// Finds the groups of one file of a journal.
struct JournalFileReader {
  private let file: any DiskFile
  private var chunk = [UInt8]()
  private var chunkStart = 0
  private static let chunkBytes = 256 << 10

  init(_ file: any DiskFile) {
    self.file = file
  }

  /// The file's header; nil if it has none that is valid.
  mutating func header() throws(DiskError) -> JournalFileHeader? {
    guard try load(0, JournalLayout.blockBytes) else { return nil }
    return JournalFileHeader(chunk.span.extracting(0..<JournalLayout.blockBytes))
  }

  /// Calls `body` with the head and position of each group, in the order of the file; they may be
  /// of different turns of the ring.
  mutating func forEachGroup(_ body: (JournalGroupHead, Int) -> Void) throws(DiskError) {
    let size = try file.size()
    var position = 0
    while position + JournalLayout.groupHeaderBytes <= size {
      guard let head = try head(at: position, size) else {
        // A file is written from its front on: behind a block that never was there is nothing that
        // was acknowledged.
        if position > 0, isBlank(at: position) { return }
        position += JournalLayout.blockBytes
        continue
      }
      body(head, position)
      position += head.byteCount
    }
  }

  private mutating func head(at position: Int, _ size: Int) throws(DiskError) -> JournalGroupHead? {
    guard try load(position, JournalLayout.groupHeaderBytes),
      let count = JournalGroupHead.encodedBytes(bytes(from: position)), position + count <= size,
      try load(position, count), let head = JournalGroupHead(bytes(from: position)),
      position + head.byteCount <= size
    else { return nil }
    return head
  }

  private func isBlank(at position: Int) -> Bool {
    guard position >= chunkStart, position + 8 <= chunkStart + chunk.count else { return false }
    let start = position - chunkStart
    return chunk[start..<start + 8].allSatisfy { $0 == JournalLayout.blank }
  }

  @_lifetime(borrow self)
  private func bytes(from position: Int) -> Span<UInt8> {
    chunk.span.extracting((position - chunkStart)...)
  }

  /// Makes `count` bytes from `position` on available; false if the disk cannot read them.
  private mutating func load(_ position: Int, _ count: Int) throws(DiskError) -> Bool {
    if position >= chunkStart, position + count <= chunkStart + chunk.count { return true }
    // Where only heads are wanted, the chunk is as small as they are.
    let isNext = position == chunkStart + chunk.count
    let wanted = max(count, isNext ? Self.chunkBytes : JournalLayout.blockBytes)
    chunkStart = position
    do throws(DiskError) {
      var bytes = [UInt8](repeating: 0, count: wanted)
      var span = bytes.mutableSpan
      let found = try file.read(into: &span, at: position)
      bytes.removeLast(wanted - found)
      chunk = bytes
      return found >= count
    } catch  where error.isUnreadableSector {
      chunk = []
      return false
    }
  }
}
