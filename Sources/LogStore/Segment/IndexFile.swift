package import DiskIO
internal import Synchronization

/// The memory behind one index: a mapped file whose blocks are allocated before they are touched,
/// and the count of entries that readers may see.
///
/// The file is mapped at its greatest size once and grows beneath the mapping, so that readers keep
/// one region for the index's whole life. One thread (the holder of the writer lock) appends; any
/// thread reads entries below `count`: the entry's words are stored first, then `count` (release),
/// which pairs with the reader's load (acquire).
package final class IndexFile: Sendable {
  /// The file is allocated in steps of doubling size, beginning with this one.
  package static let allocationBytesMin = 16_384

  /// Path of the index file.
  package let path: String
  /// Bytes of one entry.
  package let entryBytes: Int
  /// Most entries it may hold.
  package let entriesMax: Int
  private let region: MappedRegion?
  /// For growing and syncing, which open the file for a moment: an index costs a mapping, but no
  /// descriptor. nil where the index is sealed or a copy on the heap.
  private let disk: (any Disk)?
  /// Who may touch the mapping; nil where the memory is nobody's file.
  private let gate: MappingGate?
  private let published: Atomic<Int>
  private let allocatedBytes: Atomic<Int>

  private init(
    path: String, entryBytes: Int, entriesMax: Int, region: MappedRegion?, disk: (any Disk)?,
    gate: MappingGate?, count: Int, allocatedBytes: Int
  ) {
    self.path = path
    self.entryBytes = entryBytes
    self.entriesMax = entriesMax
    self.region = region
    self.disk = disk
    self.gate = gate
    self.published = Atomic(count)
    self.allocatedBytes = Atomic(allocatedBytes)
  }

  /// Opens the index of an active segment for appending, made anew where `create`.
  ///
  /// - Parameters:
  ///   - count: Entries to keep; what stands behind them in the file is overwritten with zeros.
  ///   - bytesMax: `segmentIndexBytes`.
  package static func openActive(
    in directory: LogDirectory, path: String, entryBytes: Int, bytesMax: Int, keeping count: Int,
    create: Bool
  ) throws(DiskError) -> IndexFile {
    let disk = directory.disk
    let file = try disk.open(path, create ? .create : .readWrite)
    let entriesMax = max(bytesMax / entryBytes, count + 1)
    let bytes = entriesMax * entryBytes
    if !create { try file.truncate(to: count * entryBytes) }
    let allocated = min(bytes, max(allocationBytesMin, count * entryBytes))
    try file.allocate(to: allocated)
    let region = try file.map(capacity: bytes, writable: true)
    return IndexFile(
      path: path, entryBytes: entryBytes, entriesMax: entriesMax, region: region, disk: disk,
      gate: directory.gate, count: count, allocatedBytes: allocated)
  }

  /// Maps the index of a sealed segment for reading; a zero tail is not counted.
  package static func openSealed(in directory: LogDirectory, path: String, entryBytes: Int)
    throws(DiskError) -> IndexFile
  {
    // Whose directory was given up may map nothing of it.
    guard directory.gate.enter() else {
      return try openCopy(directory.disk, path: path, entryBytes: entryBytes)
    }
    defer { directory.gate.leave() }
    let file = try directory.disk.open(path, .read)
    let entries = try file.size() / entryBytes
    guard entries > 0 else { return empty(path: path, entryBytes: entryBytes) }
    let region = try file.map(capacity: entries * entryBytes, writable: false)
    return IndexFile(
      path: path, entryBytes: entryBytes, entriesMax: entries, region: region, disk: nil,
      gate: directory.gate,
      count: usedEntries(of: region, entryBytes: entryBytes, upTo: entries), allocatedBytes: 0)
  }

  /// Copies an index to the heap, for readers of a directory that another process may be writing:
  /// it may cut the file at any moment, and a mapping would then fault.
  package static func openCopy(_ disk: any Disk, path: String, entryBytes: Int)
    throws(DiskError) -> IndexFile
  {
    let file = try disk.open(path, .read)
    let bytes = min(try file.size(), Int(Int32.max)) / entryBytes * entryBytes
    guard bytes > 0 else { return empty(path: path, entryBytes: entryBytes) }
    var copy = [UInt8](repeating: 0, count: bytes)
    var span = copy.mutableSpan
    let read = try file.read(into: &span, at: 0) / entryBytes * entryBytes
    guard read > 0 else { return empty(path: path, entryBytes: entryBytes) }
    let region = MappedRegion(copying: copy.span.extracting(0..<read))
    let entries = read / entryBytes
    return IndexFile(
      path: path, entryBytes: entryBytes, entriesMax: entries, region: region, disk: nil, gate: nil,
      count: usedEntries(of: region, entryBytes: entryBytes, upTo: entries), allocatedBytes: 0)
  }

  /// An index on the heap made of ready entries, as a rebuild in a read-only directory gives.
  package static func inMemory(path: String, entryBytes: Int, bytes: [UInt8]) -> IndexFile {
    guard bytes.count >= entryBytes else { return empty(path: path, entryBytes: entryBytes) }
    return IndexFile(
      path: path, entryBytes: entryBytes, entriesMax: bytes.count / entryBytes,
      region: MappedRegion(copying: bytes.span), disk: nil, gate: nil,
      count: bytes.count / entryBytes, allocatedBytes: 0)
  }

  /// An index without entries.
  package static func empty(path: String, entryBytes: Int) -> IndexFile {
    IndexFile(
      path: path, entryBytes: entryBytes, entriesMax: 0, region: nil, disk: nil, gate: nil,
      count: 0,
      allocatedBytes: 0)
  }

  /// Entries published to readers (acquire).
  package var count: Int { published.load(ordering: .acquiring) }

  /// Whether this thread, the writer, may append without growing past `entriesMax`.
  package func hasRoom(reserving slots: Int = 0) -> Bool {
    published.load(ordering: .relaxed) < entriesMax - slots
  }

  /// What `body` finds among the entries; nil where the log's owner has given the directory up, so
  /// that a mapping may lie beyond its file's end.
  @inline(__always)
  package func look<Found>(_ body: () -> Found?) -> Found? {
    guard let gate else { return body() }
    guard gate.enter() else { return nil }
    defer { gate.leave() }
    return body()
  }

  /// Loads a word of entry `index`, which must be below `count`; within `look`.
  @inline(__always)
  package func load<Word: FixedWidthInteger & BitwiseCopyable>(
    _ type: Word.Type, entry index: Int, at byte: Int
  ) -> Word {
    guard let region else { preconditionFailure("\(path): entry \(index) of an empty index") }
    return region.load(bigEndian: type, at: index * entryBytes + byte)
  }

  /// Makes sure that one more entry has its blocks, so that storing it cannot meet a full disk.
  package func reserve() throws(DiskError) {
    let needed = (published.load(ordering: .relaxed) + 1) * entryBytes
    let allocated = allocatedBytes.load(ordering: .relaxed)
    guard needed > allocated, let disk else { return }
    let bytes = min(entriesMax * entryBytes, max(allocated * 2, needed))
    try disk.open(path, .readWrite).allocate(to: bytes)
    allocatedBytes.store(bytes, ordering: .relaxed)
  }

  /// Stores entry `count` with `store`, then publishes it. `reserve` came before.
  @inline(__always)
  package func append(_ store: (MappedRegion, _ byte: Int) -> Void) {
    let index = published.load(ordering: .relaxed)
    guard let region, index < entriesMax else {
      preconditionFailure("\(path): entry \(index) of at most \(entriesMax)")
    }
    store(region, index * entryBytes)
    published.store(index + 1, ordering: .releasing)
  }

  /// Forgets all entries from `count` on; only before readers exist or while every lookup is
  /// checked against the log anyway.
  package func truncate(toEntries count: Int) {
    published.store(min(count, published.load(ordering: .relaxed)), ordering: .releasing)
  }

  /// Makes the entries stored so far durable without cutting the file.
  package func sync() throws(DiskError) {
    try disk?.open(path, .readWrite).sync()
  }

  /// Cuts the file to the used entries and makes it durable; entries stay readable through the
  /// mapping, since they lie below the new end.
  package func trimAndSync() throws(DiskError) {
    guard let file = try disk?.open(path, .readWrite) else { return }
    try file.truncate(to: published.load(ordering: .relaxed) * entryBytes)
    try file.sync()
  }

  /// Entries before the zero tail of a preallocated file: the last entry that is not all zeros,
  /// found from the back in growing strides.
  private static func usedEntries(of region: MappedRegion, entryBytes: Int, upTo entries: Int)
    -> Int
  {
    func isZero(_ entry: Int) -> Bool {
      var byte = entry * entryBytes
      let end = byte + entryBytes
      while byte < end {
        if region.load(bigEndian: UInt32.self, at: byte) != 0 { return false }
        byte += 4
      }
      return true
    }
    guard isZero(entries - 1) else { return entries }
    // Used entries come first, zeros last: bisect for the border. Entry 0 may be (0, 0) by right,
    // but then it says nothing that an absent one does not.
    var low = 0
    var high = entries - 1
    while low < high {
      let middle = (low + high) / 2
      if isZero(middle) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
