import DiskIO
import MkstoreBytes

/// Identifies one inode of a simulated disk; never reused.
typealias InodeID = Int

/// A simulated file or directory: as running programs see it (live) and as it certainly is after a
/// power cut (durable).
struct Inode: Sendable {
  let kind: FileKind
  /// Number and time of birth: kept by a rename and a power cut, different in every copy.
  private(set) var birth: FileBirth
  var modifiedMs: Int64 {
    didSet { changedMs = modifiedMs }
  }
  /// Last change of the content or of a name.
  var changedMs: Int64
  /// Handles that are open.
  var openFiles = 0
  /// Mappings that are alive.
  var mappings = 0

  // Of a directory.
  var names: [String: InodeID] = [:]
  var durableNames: [String: InodeID] = [:]

  // Of a file.
  private(set) var durable = PagedBytes()
  /// Live content, except what was stored through mappings since `memory` was last read.
  var pages = PagedBytes()
  /// Live content while the file is mapped: a file in memory, so that its mappings behave as the
  /// kernel's do, also after its end.
  private(set) var memory: MemoryFile?
  /// Sectors (with their content at that time) that a failed sync marked clean although they are
  /// not.
  var dropped: [Int: [UInt8]] = [:]
  /// The size that a failed sync marked clean.
  private var droppedSize: Int?
  /// Whether the disk cannot read the file's bytes.
  private(set) var isUnreadable = false
  /// Bytes of the file that the disk cannot read.
  var badRanges: [Range<Int>] = []
  /// An error met outside the file's own syncs, which the next of them throws.
  var writeError: Int32?
  /// Pages that the page cache does not hold.
  var coldPages = RangeSet<Int>()

  /// - Parameter id: The number of the new file or directory.
  init(kind: FileKind, _ id: InodeID, nowMs: Int64) {
    self.kind = kind
    birth = FileBirth(inode: UInt64(id), timeNs: nowMs * 1_000_000)
    modifiedMs = nowMs
    changedMs = nowMs
  }

  /// A file whose content is durable.
  init(content: PagedBytes, birth: FileBirth, modifiedMs: Int64) {
    kind = .file
    self.birth = birth
    self.modifiedMs = modifiedMs
    changedMs = modifiedMs
    pages = content
    durable = content
  }

  var size: Int { pages.size }

  var createdMs: Int64 { birth.timeNs / 1_000_000 }

  var allocatedPages: Int { pages.allocatedPages }

  /// Whether the page takes space on the disk.
  func isAllocated(_ page: Int) -> Bool { pages.isAllocated(page) }

  /// Live content, mapped stores included.
  var content: PagedBytes { memory.map { MappedContent.gathered(from: $0, into: pages) } ?? pages }

  /// Reads up to the end of the file.
  func read(into buffer: inout MutableSpan<UInt8>, at position: Int) -> Int {
    if let memory { return MappedContent.read(memory, into: &buffer, at: position) }
    let count = max(0, min(buffer.count, size - position))
    var done = 0
    while done < count {
      let (index, start) = (position + done).quotientAndRemainder(dividingBy: PagedBytes.pageBytes)
      let part = min(count - done, PagedBytes.pageBytes - start)
      let page = pages.page(index)
      buffer.copy(page.span.extracting(start..<(start + part)), at: done)
      done += part
    }
    return count
  }

  /// The first byte at or after `position` that takes no space, or the file's end.
  func firstHole(from position: Int) -> Int {
    position >= size ? position : min(size, content.firstHole(from: position))
  }

  mutating func write(_ bytes: Span<UInt8>, at position: Int) {
    if let memory {
      if position > size { MappedContent.resize(memory, from: size, to: position) }
      MappedContent.write(bytes, to: memory, at: position)
    }
    pages.write(bytes, at: position)
    warm(position..<(position + bytes.count))
    forgetDropped(position..<(position + bytes.count))
  }

  /// Sets the size. Mapped pages after the end fault, as those of a file that another process
  /// truncated.
  mutating func resize(to size: Int) {
    if let memory { MappedContent.resize(memory, from: self.size, to: size) }
    forgetDropped(min(size, self.size)..<max(size, self.size))
    droppedSize = nil
    pages.resize(to: size)
  }

  mutating func allocate(to size: Int) {
    if size > self.size {
      droppedSize = nil
      if let memory { MappedContent.resize(memory, from: self.size, to: size) }
    }
    pages.allocate(to: size)
  }

  /// Maps the file's first `capacity` bytes.
  mutating func map(
    capacity: Int, writable: Bool, path: String
  ) throws(DiskError) -> MappedRegion {
    if isUnreadable {
      // For a file without bytes: every page faults.
      return try MemoryFile(path: path).file.map(capacity: capacity, writable: writable)
    }
    let memory: MemoryFile
    if let shared = self.memory {
      memory = shared
    } else {
      memory = try MappedContent.memory(with: pages, path: path)
    }
    let region = try memory.file.map(capacity: capacity, writable: writable)
    self.memory = memory
    return region
  }

  /// Ends the sharing with mappings: their stores have no effect from here on.
  mutating func detachMappings() {
    pages = content
    memory = nil
    mappings = 0
  }

  /// The last mapping was released.
  mutating func endMapping() {
    mappings = max(0, mappings - 1)
    if mappings == 0 { detachMappings() }
  }

  /// From now on the disk cannot read the file: reads fail, and mapped pages fault.
  mutating func makeUnreadable() {
    isUnreadable = true
    let mapped = memory
    detachMappings()
    if let mapped { MappedContent.resize(mapped, from: size, to: 0) }
  }

  /// Makes the live content durable, except what an earlier failed sync dropped.
  mutating func sync() {
    let content = self.content
    var next = content
    for (sector, bytes) in dropped {
      if content.sector(sector).elementsEqual(bytes) {
        next.setSector(sector, durable.sector(sector))
      } else {
        dropped[sector] = nil
      }
    }
    if let droppedSize, droppedSize == content.size { next.resize(to: durable.size) }
    pages = content
    durable = next
  }

  /// Makes the live content of a range durable as far as the durable size goes: whole sectors.
  mutating func sync(_ range: Range<Int>) {
    let content = self.content
    let range = range.clamped(to: 0..<durable.size)
    guard !range.isEmpty else { return }
    let size = PagedBytes.sectorBytes
    for sector in range.lowerBound / size...(range.upperBound - 1) / size {
      let bytes = content.sector(sector)
      if let lost = dropped[sector], bytes.elementsEqual(lost) { continue }
      if durable.sector(sector) != bytes { durable.setSector(sector, bytes) }
    }
    pages = content
  }

  /// Whether a power cut could take something of the file's content.
  var isUnsynced: Bool {
    let content = self.content
    return content.size != durable.size || !content.sectorsDiffering(from: durable).isEmpty
  }

  /// Whether a power cut would leave the bytes of `range` unchanged.
  func isDurable(_ range: Range<Int>) -> Bool {
    let content = self.content
    let kept = durable.size >= range.upperBound || range.isEmpty
    return kept
      && content.sectorsDiffering(from: durable).allSatisfy { sector in
        let start = sector * PagedBytes.sectorBytes
        let part = range.clamped(to: start..<start + PagedBytes.sectorBytes)
        let slots = part.lowerBound - start..<part.upperBound - start
        return Array(content.sector(sector))[slots] == Array(durable.sector(sector))[slots]
      }
  }

  /// A failed sync: nothing became durable, and the kernel treats all of it as clean.
  mutating func dropUnsynced() {
    let content = self.content
    for sector in content.sectorsDiffering(from: durable) {
      dropped[sector] = Array(content.sector(sector))
    }
    if content.size != durable.size { droppedSize = content.size }
  }

  private mutating func forgetDropped(_ range: Range<Int>) {
    guard !dropped.isEmpty || droppedSize != nil, !range.isEmpty else { return }
    if range.upperBound >= size { droppedSize = nil }
    for sector in dropped.keys {
      let start = sector * PagedBytes.sectorBytes
      if range.overlaps(start..<(start + PagedBytes.sectorBytes)) { dropped[sector] = nil }
    }
  }
}
