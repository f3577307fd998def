import MkstoreBytes
import Synchronization

/// Content of a simulated file: 4 KiB pages in chunks of 1 MiB. Copies share chunks and pages until
/// one of them is written. So a durable image in addition to the live one costs only the
/// differences, and a change of a large file copies a page, the chunk's 256 references, and one
/// reference per chunk. A hole costs nothing.
struct PagedBytes: Sendable {
  static let pageBytes = 4096
  static let sectorBytes = 512
  static let sectorsPerPage = pageBytes / sectorBytes
  static let zeroPage = [UInt8](repeating: 0, count: pageBytes)

  /// Size of the file; bytes of the last page beyond it are zero.
  private(set) var size = 0

  /// Pages that take space.
  private(set) var allocatedPages = 0

  /// Adjacent pages.
  private struct Chunk {
    /// Each page whole, or empty for a hole; pages beyond the end of the array are holes too.
    var pages: [[UInt8]] = []
    /// Changes with each modification: equal stamps mean equal pages. 0: only holes.
    var stamp: UInt64 = 0
  }

  private static let chunkPages = 256
  private static let lastStamp = Atomic<UInt64>(0)
  private var chunks: [Chunk] = []

  // MARK: Pages

  /// The whole page, zeros for a hole.
  func page(_ index: Int) -> [UInt8] {
    let (chunk, slot) = index.quotientAndRemainder(dividingBy: Self.chunkPages)
    return isAllocated(index) ? chunks[chunk].pages[slot] : Self.zeroPage
  }

  /// Whether the page takes space on the disk.
  func isAllocated(_ index: Int) -> Bool {
    let (chunk, slot) = index.quotientAndRemainder(dividingBy: Self.chunkPages)
    return chunk < chunks.count && slot < chunks[chunk].pages.count
      && !chunks[chunk].pages[slot].isEmpty
  }

  /// Changes one page; `bytes` is a whole page.
  mutating func setPage(_ index: Int, _ bytes: [UInt8]) {
    precondition(bytes.count == Self.pageBytes, "a page of \(bytes.count) bytes")
    let (chunk, slot) = index.quotientAndRemainder(dividingBy: Self.chunkPages)
    if chunks.count <= chunk {
      chunks.append(contentsOf: repeatElement(Chunk(), count: chunk + 1 - chunks.count))
    }
    let missing = slot + 1 - chunks[chunk].pages.count
    if missing > 0 {
      chunks[chunk].pages.append(contentsOf: repeatElement([], count: missing))
    }
    if chunks[chunk].pages[slot].isEmpty { allocatedPages += 1 }
    chunks[chunk].pages[slot] = bytes
    stamp(chunk)
  }

  /// Records that a chunk changed.
  private mutating func stamp(_ chunk: Int) {
    // Relaxed: the number need only be unique.
    chunks[chunk].stamp = Self.lastStamp.add(1, ordering: .relaxed).newValue
  }

  /// Pages that take space, ascending.
  func forEachPage(_ body: (Int, [UInt8]) -> Void) {
    for (chunk, content) in chunks.enumerated() {
      for (slot, page) in content.pages.enumerated() where !page.isEmpty {
        body(chunk * Self.chunkPages + slot, page)
      }
    }
  }

  /// The first byte at or after `position` that is in a hole.
  func firstHole(from position: Int) -> Int {
    var page = position / Self.pageBytes
    while isAllocated(page) { page += 1 }
    return max(position, page * Self.pageBytes)
  }

  /// Pages that contain `count` bytes.
  static func pages(in count: Int) -> Int {
    count / pageBytes + (count % pageBytes == 0 ? 0 : 1)
  }

  // MARK: Bytes

  /// Writes and grows as needed.
  mutating func write(_ bytes: Span<UInt8>, at position: Int) {
    var done = 0
    while done < bytes.count {
      let (index, start) = (position + done).quotientAndRemainder(dividingBy: Self.pageBytes)
      let count = min(bytes.count - done, Self.pageBytes - start)
      let part = bytes.extracting(done..<(done + count))
      if count == Self.pageBytes {
        setPage(index, [UInt8](copying: part))
      } else {
        change(index) { page in
          var page = page.mutableSpan
          page.copy(part, at: start)
        }
      }
      done += count
    }
    size = max(size, position + bytes.count)
  }

  /// Sets the size: growth is a hole, removed bytes are gone.
  mutating func resize(to newSize: Int) {
    if newSize < size {
      removePages(from: Self.pages(in: newSize))
      let (last, start) = newSize.quotientAndRemainder(dividingBy: Self.pageBytes)
      if start > 0, isAllocated(last) {
        change(last) { $0.replaceSubrange(start..., with: Self.zeroPage[start...]) }
      }
    }
    size = newSize
  }

  /// Allocates every page below `end` and makes the file at least that long.
  mutating func allocate(to end: Int) {
    for index in 0..<Self.pages(in: end) where !isAllocated(index) {
      setPage(index, Self.zeroPage)
    }
    size = max(size, end)
  }

  /// All bytes, for tests.
  var array: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(size)
    for index in 0..<Self.pages(in: size) {
      bytes.append(contentsOf: page(index).prefix(size - bytes.count))
    }
    return bytes
  }

  private mutating func change(_ index: Int, _ body: (inout [UInt8]) -> Void) {
    if !isAllocated(index) { setPage(index, Self.zeroPage) }
    let (chunk, slot) = index.quotientAndRemainder(dividingBy: Self.chunkPages)
    body(&chunks[chunk].pages[slot])
    stamp(chunk)
  }

  private mutating func removePages(from end: Int) {
    let (chunk, slot) = end.quotientAndRemainder(dividingBy: Self.chunkPages)
    guard chunk < chunks.count else { return }
    for removed in chunks[(chunk + 1)...] { allocatedPages -= Self.allocated(removed.pages[...]) }
    chunks.removeSubrange((chunk + 1)...)
    guard slot < chunks[chunk].pages.count else { return }
    allocatedPages -= Self.allocated(chunks[chunk].pages[slot...])
    chunks[chunk].pages.removeSubrange(slot...)
    stamp(chunk)
  }

  private static func allocated(_ pages: ArraySlice<[UInt8]>) -> Int {
    var count = 0
    for page in pages where !page.isEmpty { count += 1 }
    return count
  }

  // MARK: Sectors

  /// One sector, whole.
  func sector(_ index: Int) -> ArraySlice<UInt8> {
    let (page, sector) = index.quotientAndRemainder(dividingBy: Self.sectorsPerPage)
    return self.page(page)[(sector * Self.sectorBytes)..<((sector + 1) * Self.sectorBytes)]
  }

  /// Changes one sector; `bytes` is a whole one.
  mutating func setSector(_ index: Int, _ bytes: ArraySlice<UInt8>) {
    precondition(bytes.count == Self.sectorBytes, "a sector of \(bytes.count) bytes")
    let (page, sector) = index.quotientAndRemainder(dividingBy: Self.sectorsPerPage)
    let start = sector * Self.sectorBytes
    change(page) { $0.replaceSubrange(start..<(start + Self.sectorBytes), with: bytes) }
  }

  /// Sectors that are at least partly below this size and differ from `other`, ascending.
  func sectorsDiffering(from other: PagedBytes) -> [Int] {
    var found: [Int] = []
    for chunk in 0..<max(chunks.count, other.chunks.count) {
      let (mine, theirs) = (self.chunk(chunk), other.chunk(chunk))
      if mine.stamp == theirs.stamp { continue }
      for slot in 0..<max(mine.pages.count, theirs.pages.count) {
        addSectors(of: chunk * Self.chunkPages + slot, differingFrom: other, to: &found)
      }
    }
    return found
  }

  private func chunk(_ index: Int) -> Chunk {
    index < chunks.count ? chunks[index] : Chunk()
  }

  private func addSectors(
    of page: Int, differingFrom other: PagedBytes, to found: inout [Int]
  ) {
    let (mine, theirs) = (self.page(page), other.page(page))
    guard page < Self.pages(in: size), mine != theirs else { return }
    for sector in 0..<Self.sectorsPerPage {
      let start = sector * Self.sectorBytes
      let range = start..<(start + Self.sectorBytes)
      guard page * Self.pageBytes + start < size, mine[range] != theirs[range] else { continue }
      found.append(page * Self.sectorsPerPage + sector)
    }
  }
}
