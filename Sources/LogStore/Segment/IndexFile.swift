internal import DiskIO
internal import Synchronization

/// The entries of one index: a file whose blocks are allocated before they are written, and the
/// number of entries that readers may see.
///
/// One thread (the holder of the writer lock) appends; any thread reads entries below `count`: the
/// entry's words are stored first, then `count` (release), which pairs with the reader's load
/// (acquire). Every access may throw, because the file may be truncated or unreadable; the log then
/// rebuilds the index from its batches (I9).
package final class IndexFile: Sendable {
  /// The file is allocated in steps of doubling size, beginning with this one.
  static let allocationBytesMin = 16_384

  /// Path of the index file.
  package let path: String
  /// Bytes of one entry.
  package let entryBytes: Int
  /// Most entries it may hold.
  let entriesMax: Int
  /// Whether the file at `path` has the entries; otherwise they are only in memory.
  let isStored: Bool
  private let bytes: IndexBytes?
  /// For growing and syncing, which open the file each time: an index holds no descriptor. nil if
  /// nothing is appended, or nothing is stored.
  private let disk: (any Disk)?
  private let published: Atomic<Int>
  private let allocatedBytes: Atomic<Int>
  /// Set once another file has the path, which must not get this one's entries.
  private let retired = Atomic<Bool>(false)

  private init(
    path: String, entryBytes: Int, entriesMax: Int, bytes: IndexBytes?, isStored: Bool = true,
    disk: (any Disk)? = nil, count: Int, allocatedBytes: Int = 0
  ) {
    self.path = path
    self.entryBytes = entryBytes
    self.entriesMax = entriesMax
    self.bytes = bytes
    self.isStored = isStored
    self.disk = disk
    self.published = Atomic(count)
    self.allocatedBytes = Atomic(allocatedBytes)
  }

  // MARK: Opening

  /// Opens the index of an active segment for appending; `create` makes a new file.
  ///
  /// - Parameters:
  ///   - count: Entries to keep; what follows them in the file is overwritten with zeros.
  ///   - bytesMax: `segmentIndexBytes`.
  static func openActive(
    in directory: LogDirectory, path: String, entryBytes: Int, bytesMax: Int, keeping count: Int,
    create: Bool
  ) throws(DiskError) -> IndexFile {
    let disk = directory.disk
    let file = try disk.open(path, create ? .create : .readWrite)
    let entriesMax = entriesMax(bytesMax, entryBytes, keeping: count)
    let capacity = entriesMax * entryBytes
    if !create {
      guard try file.size() >= count * entryBytes else { throw .cutShort(path) }
      try file.truncate(to: count * entryBytes)
    }
    let allocated = min(capacity, max(allocationBytesMin, count * entryBytes))
    try file.allocate(to: allocated)
    let bytes = try IndexBytes.of(
      file, in: directory, entryBytes: entryBytes, byteCount: count * entryBytes,
      capacity: capacity, writable: true)
    return IndexFile(
      path: path, entryBytes: entryBytes, entriesMax: entriesMax, bytes: bytes, disk: disk,
      count: count, allocatedBytes: allocated)
  }

  /// Opens the index of a sealed segment for reading; a zero tail is not counted.
  static func openSealed(in directory: LogDirectory, path: String, entryBytes: Int)
    throws(DiskError) -> IndexFile
  {
    let file = try directory.disk.open(path, .read)
    let entries = try file.size() / entryBytes
    guard entries > 0 else { return empty(path: path, entryBytes: entryBytes) }
    let byteCount = entries * entryBytes
    let bytes = try IndexBytes.of(
      file, in: directory, entryBytes: entryBytes, byteCount: byteCount, capacity: byteCount,
      writable: false)
    return IndexFile(
      path: path, entryBytes: entryBytes, entriesMax: entries, bytes: bytes,
      count: try usedEntries(of: bytes, entryBytes: entryBytes, upTo: entries))
  }

  /// Copies an index to the heap, for readers of a directory that another process may be writing.
  static func openCopy(_ disk: any Disk, path: String, entryBytes: Int)
    throws(DiskError) -> IndexFile
  {
    let file = try disk.open(path, .read)
    let bytes = min(try file.size(), Int(Int32.max)) / entryBytes * entryBytes
    guard bytes > 0 else { return empty(path: path, entryBytes: entryBytes) }
    var copy = [UInt8](repeating: 0, count: bytes)
    var span = copy.mutableSpan
    let read = try file.read(into: &span, at: 0) / entryBytes * entryBytes
    guard read > 0 else { return empty(path: path, entryBytes: entryBytes) }
    let region = IndexBytes.region(
      MappedRegion(copying: copy.span.extracting(0..<read), path: path))
    let entries = read / entryBytes
    return IndexFile(
      path: path, entryBytes: entryBytes, entriesMax: entries, bytes: region,
      count: try usedEntries(of: region, entryBytes: entryBytes, upTo: entries))
  }

  /// An index on the heap made of existing entries, if there can or need be no file.
  static func inMemory(path: String, entryBytes: Int, bytes: [UInt8]) -> IndexFile {
    guard bytes.count >= entryBytes else { return empty(path: path, entryBytes: entryBytes) }
    return IndexFile(
      path: path, entryBytes: entryBytes, entriesMax: bytes.count / entryBytes,
      bytes: .region(MappedRegion(copying: bytes.span, path: path)), isStored: false,
      count: bytes.count / entryBytes)
  }

  /// An index on the heap that is appended to, for an active segment whose file cannot be written.
  static func inMemoryActive(
    path: String, entryBytes: Int, bytesMax: Int, bytes: [UInt8]
  ) -> IndexFile {
    let count = bytes.count / entryBytes
    let entriesMax = entriesMax(bytesMax, entryBytes, keeping: count)
    let region = MappedRegion(
      copying: bytes.span, capacity: entriesMax * entryBytes, path: path)
    return IndexFile(
      path: path, entryBytes: entryBytes, entriesMax: entriesMax, bytes: .region(region),
      isStored: false, count: count)
  }

  /// An index without entries.
  package static func empty(path: String, entryBytes: Int) -> IndexFile {
    IndexFile(path: path, entryBytes: entryBytes, entriesMax: 0, bytes: nil, count: 0)
  }

  private static func entriesMax(_ bytesMax: Int, _ entryBytes: Int, keeping count: Int) -> Int {
    max(bytesMax / entryBytes, count + 1)
  }

  // MARK: Entries

  /// Entries published to readers (acquire).
  package var count: Int { published.load(ordering: .acquiring) }

  /// Whether this thread, the writer, may append without growing past `entriesMax`.
  package func hasRoom(reserving slots: Int = 0) -> Bool {
    published.load(ordering: .relaxed) < entriesMax - slots
  }

  /// Loads a word of entry `index`, which must be below `count`.
  @inline(__always)
  func load<Word: FixedWidthInteger & BitwiseCopyable>(
    _ type: Word.Type, entry index: Int, at byte: Int
  ) throws(DiskError) -> Word {
    guard let bytes else { preconditionFailure("I6: \(path): entry \(index) of an empty index") }
    return try bytes.load(type, at: index * entryBytes + byte)
  }

  /// Allocates the blocks of one more entry, so that storing it cannot meet a full disk.
  func reserve() throws(DiskError) {
    let needed = (published.load(ordering: .relaxed) + 1) * entryBytes
    let allocated = allocatedBytes.load(ordering: .relaxed)
    guard needed > allocated, let disk else { return }
    let bytes = min(entriesMax * entryBytes, max(allocated * 2, needed))
    try disk.open(path, .readWrite).allocate(to: bytes)
    allocatedBytes.store(bytes, ordering: .relaxed)
  }

  /// Stores entry `count`, which has one or two words, then publishes it. Call `reserve` before.
  @inline(__always)
  func append(_ first: UInt64, _ second: UInt32? = nil) throws(DiskError) {
    let index = published.load(ordering: .relaxed)
    guard let bytes, index < entriesMax else {
      preconditionFailure("I6: \(path): entry \(index) of at most \(entriesMax)")
    }
    let allocated = allocatedBytes.load(ordering: .relaxed)
    precondition(
      disk == nil || (index + 1) * entryBytes <= allocated,
      "I6: \(path): entry \(index) in \(allocated) allocated bytes")
    try bytes.append(first, second, at: index * entryBytes)
    published.store(index + 1, ordering: .releasing)
  }

  // MARK: Durability

  /// Called before another index takes its place: nothing is written to the path any more.
  func retire() { retired.store(true, ordering: .releasing) }

  /// The disk, if there is a file at `path` to be written to.
  private var writableDisk: (any Disk)? { retired.load(ordering: .acquiring) ? nil : disk }

  /// Writes the appended entries to the file, so that they survive this process.
  func writeOut() throws(DiskError) {
    if writableDisk != nil { try bytes?.writeOut() }
  }

  /// Makes the entries stored so far durable without truncating the file.
  func sync() throws(DiskError) {
    guard let disk = writableDisk else { return }
    try writeOut()
    try disk.open(path, .readWrite).sync()
  }

  /// Truncates the file to the used entries and makes it durable; entries stay readable, since they
  /// are below the new end.
  func trimAndSync() throws(DiskError) {
    guard let disk = writableDisk else { return }
    try writeOut()
    let file = try disk.open(path, .readWrite)
    try file.truncate(to: published.load(ordering: .relaxed) * entryBytes)
    try file.sync()
  }

  /// Entries before the zero tail of a preallocated file: the last entry that is not all zeros,
  /// found by bisection.
  private static func usedEntries(
    of bytes: IndexBytes, entryBytes: Int, upTo entries: Int
  ) throws(DiskError) -> Int {
    func isZero(_ entry: Int) throws(DiskError) -> Bool {
      var byte = entry * entryBytes
      let end = byte + entryBytes
      while byte < end {
        if try bytes.load(UInt32.self, at: byte) != 0 { return false }
        byte += 4
      }
      return true
    }
    guard try isZero(entries - 1) else { return entries }
    // Used entries come first, zeros last: bisect for the boundary. Entry 0 may validly be (0, 0),
    // but then it has no more information than a missing one.
    var low = 0
    var high = entries - 1
    while low < high {
      let middle = (low + high) / 2
      if try isZero(middle) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
