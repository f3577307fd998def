import Bytes
import DiskIO

/// Names one inode of a simulated disk; never used twice.
typealias InodeID = Int

/// A simulated file or directory: as running programs see it (live) and as a power cut would leave
/// it for certain (durable).
struct Inode: Sendable {
  let kind: FileKind
  /// Number and time of birth: kept by a rename and a power cut, another in every copy.
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
  /// Live content, but for pages below `block`'s capacity: of those it only says whether they take
  /// space.
  private var pages = PagedBytes()
  /// Live content of the file's first bytes, once it was mapped; shared with the mappings.
  private var block: MappedRegion?
  /// The largest mapping so far: nothing of `block` beyond it was ever within anybody's reach.
  private var mappedCapacity = 0
  /// Sectors (with the content of then) that a failed sync marked clean though they are not.
  private var dropped: [Int: [UInt8]] = [:]
  /// The size that a failed sync marked clean.
  private var droppedSize: Int?
  /// Whether the disk cannot read the file's bytes.
  private(set) var isUnreadable = false
  /// Bytes of the file that the disk cannot read.
  var badRanges: [Range<Int>] = []
  /// An error met by a sync of the whole disk that the file's own sync has yet to tell.
  var writeError: Int32?

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
  var content: PagedBytes {
    guard let block else { return pages }
    var content = pages
    for index in 0..<PagedBytes.pages(in: mappedCapacity) {
      let position = index * PagedBytes.pageBytes
      let page = Self.page(of: block, index)
      if page == content.page(index) { continue }
      precondition(
        position < size,
        "a store through a mapping at or beyond page \(index) of a file of \(size) bytes")
      content.setPage(index, page)
    }
    content.resize(to: size)  // what was stored behind the end in the last page is no content
    return content
  }

  /// Reads up to the end of the file.
  func read(into buffer: inout MutableSpan<UInt8>, at position: Int) -> Int {
    let count = max(0, min(buffer.count, size - position))
    var done = 0
    while done < count {
      let (index, start) = (position + done).quotientAndRemainder(dividingBy: PagedBytes.pageBytes)
      let part = min(count - done, PagedBytes.pageBytes - start)
      let page = isInBlock(index) ? Self.page(of: block!, index) : pages.page(index)
      buffer.copy(page.span.extracting(start..<(start + part)), at: done)
      done += part
    }
    return count
  }

  mutating func write(_ bytes: Span<UInt8>, at position: Int) {
    pages.write(bytes, at: position)
    if let block, position < block.capacity {
      let count = min(bytes.count, block.capacity - position)
      Self.copy(bytes.extracting(0..<count), to: block, at: position)
    }
    forgetDropped(position..<(position + bytes.count))
  }

  mutating func resize(to size: Int) {
    if let block, size < self.size, size < block.capacity {
      let zeros = [UInt8](repeating: 0, count: min(self.size, block.capacity) - size)
      Self.copy(zeros.span, to: block, at: size)
    }
    forgetDropped(min(size, self.size)..<max(size, self.size))
    droppedSize = nil
    pages.resize(to: size)
  }

  mutating func allocate(to size: Int) {
    if size > self.size { droppedSize = nil }
    pages.allocate(to: size)
  }

  /// Memory with the file's first `capacity` bytes, the same for all mappings.
  mutating func mapped(capacity: Int) -> MappedRegion {
    if let block, block.capacity >= capacity {
      mappedCapacity = max(mappedCapacity, capacity)
      return block
    }
    precondition(
      mappings == 0, "mapping \(capacity) bytes beside a smaller live mapping is not simulated")
    let content = self.content
    // Untouched memory is free: room for later, larger mappings beside this one.
    let room = PagedBytes.pages(in: max(4 * capacity, 1 << 16)) * PagedBytes.pageBytes
    let block = MappedRegion(heapCapacity: room)
    if isUnreadable {
      Self.makeFaulting(block, from: 0)
      return block
    }
    for index in 0..<(room / PagedBytes.pageBytes) where content.isAllocated(index) {
      Self.copy(content.page(index).span, to: block, at: index * PagedBytes.pageBytes)
    }
    pages = content
    mappedCapacity = capacity
    self.block = block
    return block
  }

  /// Ends the sharing with mappings: their stores change nothing from here on.
  mutating func detachMappings() {
    pages = content
    block = nil
    mappings = 0
  }

  /// From now on the disk cannot read the file: reads fail, and mapped pages fault.
  mutating func makeUnreadable() {
    isUnreadable = true
    let mapped = block
    detachMappings()
    if let mapped { Self.makeFaulting(mapped, from: 0) }
  }

  /// Cuts the file as another process may: mapped pages behind the new end fault.
  mutating func cutUnderMappings(to size: Int) {
    let mapped = block
    detachMappings()
    resize(to: size)
    if let mapped { Self.makeFaulting(mapped, from: size) }
  }

  /// Makes the live content durable, but for what an earlier failed sync dropped.
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

  /// Whether a power cut could take something of the file's content.
  var isUnsynced: Bool {
    let content = self.content
    return content.size != durable.size || !content.sectorsDiffering(from: durable).isEmpty
  }

  /// A sync that failed: nothing became durable, and the kernel holds all of it for clean.
  mutating func dropUnsynced() {
    let content = self.content
    for sector in content.sectorsDiffering(from: durable) {
      dropped[sector] = Array(content.sector(sector))
    }
    if content.size != durable.size { droppedSize = content.size }
  }

  /// Lets go of sectors in `range` that a failed sync marked clean: the durable content is read
  /// again. Mapped files keep theirs, as mapped pages do.
  mutating func dropClean(_ range: Range<Int>) {
    guard block == nil else { return }
    for (sector, bytes) in dropped {
      let start = sector * PagedBytes.sectorBytes
      guard range.overlaps(start..<(start + PagedBytes.sectorBytes)),
        pages.sector(sector).elementsEqual(bytes)
      else { continue }
      let size = pages.size
      pages.setSector(sector, durable.sector(sector))
      pages.resize(to: size)
      dropped[sector] = nil
    }
  }

  private func isInBlock(_ page: Int) -> Bool {
    guard let block else { return false }
    return (page + 1) * PagedBytes.pageBytes <= block.capacity
  }

  private mutating func forgetDropped(_ range: Range<Int>) {
    guard !dropped.isEmpty || droppedSize != nil, !range.isEmpty else { return }
    if range.upperBound >= size { droppedSize = nil }
    for sector in dropped.keys {
      let start = sector * PagedBytes.sectorBytes
      if range.overlaps(start..<(start + PagedBytes.sectorBytes)) { dropped[sector] = nil }
    }
  }

  // Pages of a block that still belongs to an inode never fault: it is detached first.

  private static func page(of block: MappedRegion, _ index: Int) -> [UInt8] {
    var page = PagedBytes.zeroPage
    var span = page.mutableSpan
    do {
      try block.copy(to: &span, from: index * PagedBytes.pageBytes)
    } catch {
      preconditionFailure("a simulated page: \(error)")
    }
    return page
  }

  private static func copy(_ bytes: Span<UInt8>, to block: MappedRegion, at position: Int) {
    do {
      try block.copy(from: bytes, to: position)
    } catch {
      preconditionFailure("a simulated page: \(error)")
    }
  }

  private static func makeFaulting(_ block: MappedRegion, from position: Int) {
    do {
      try block.makeFaulting(from: position)
    } catch {
      preconditionFailure("a simulated page: \(error)")
    }
  }
}
