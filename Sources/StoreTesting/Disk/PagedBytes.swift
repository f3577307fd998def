import Bytes

/// Content of a simulated file: 4 KiB pages that copies share until one of them is written, so
/// that a durable image beside the live one costs only what differs. A hole costs nothing.
struct PagedBytes: Sendable {
  static let pageBytes = 4096
  static let sectorBytes = 512
  static let sectorsPerPage = pageBytes / sectorBytes
  static let zeroPage = [UInt8](repeating: 0, count: pageBytes)

  /// Size of the file; bytes of the last page beyond it are zero.
  private(set) var size = 0

  /// Each page whole, or empty for a hole; pages beyond the end of the array are holes too.
  private var pages: [[UInt8]] = []

  /// The whole page, zeros for a hole.
  func page(_ index: Int) -> [UInt8] {
    index < pages.count && !pages[index].isEmpty ? pages[index] : Self.zeroPage
  }

  /// Whether the page takes space on the disk.
  func isAllocated(_ index: Int) -> Bool {
    index < pages.count && !pages[index].isEmpty
  }

  /// Pages that take space.
  var allocatedPages: Int { pages.count { !$0.isEmpty } }

  /// Pages from the first to the last that is no hole.
  var pageCount: Int { pages.count }

  /// Changes one page; `bytes` is a whole page.
  mutating func setPage(_ index: Int, _ bytes: [UInt8]) {
    precondition(bytes.count == Self.pageBytes, "a page of \(bytes.count) bytes")
    if pages.count <= index {
      pages.append(contentsOf: repeatElement([], count: index + 1 - pages.count))
    }
    pages[index] = bytes
  }

  /// Writes and grows as needed.
  mutating func write(_ bytes: Span<UInt8>, at position: Int) {
    var done = 0
    while done < bytes.count {
      let (index, start) = (position + done).quotientAndRemainder(dividingBy: Self.pageBytes)
      let count = min(bytes.count - done, Self.pageBytes - start)
      if !isAllocated(index) { setPage(index, Self.zeroPage) }
      var page = pages[index].mutableSpan
      page.copy(bytes.extracting(done..<(done + count)), at: start)
      done += count
    }
    size = max(size, position + bytes.count)
  }

  /// Sets the size: growth is a hole, what is cut is gone.
  mutating func resize(to newSize: Int) {
    if newSize < size {
      let (last, start) = newSize.quotientAndRemainder(dividingBy: Self.pageBytes)
      let kept = start == 0 ? last : last + 1
      if pages.count > kept { pages.removeSubrange(kept...) }
      if start > 0 && isAllocated(last) {
        pages[last].replaceSubrange(start..., with: Self.zeroPage[start...])
      }
    }
    size = newSize
  }

  /// Makes every page below `end` real and the file at least that long.
  mutating func allocate(to end: Int) {
    for index in 0..<Self.pages(in: end) where !isAllocated(index) {
      setPage(index, Self.zeroPage)
    }
    size = max(size, end)
  }

  /// One sector, whole.
  func sector(_ index: Int) -> ArraySlice<UInt8> {
    let (page, sector) = index.quotientAndRemainder(dividingBy: Self.sectorsPerPage)
    return self.page(page)[(sector * Self.sectorBytes)..<((sector + 1) * Self.sectorBytes)]
  }

  /// Changes one sector; `bytes` is a whole one.
  mutating func setSector(_ index: Int, _ bytes: ArraySlice<UInt8>) {
    precondition(bytes.count == Self.sectorBytes, "a sector of \(bytes.count) bytes")
    let (page, sector) = index.quotientAndRemainder(dividingBy: Self.sectorsPerPage)
    if !isAllocated(page) { setPage(page, Self.zeroPage) }
    let start = sector * Self.sectorBytes
    pages[page].replaceSubrange(start..<(start + Self.sectorBytes), with: bytes)
  }

  /// Sectors that lie at least partly below this size and differ from `other`, ascending.
  func sectorsDiffering(from other: PagedBytes) -> [Int] {
    var found: [Int] = []
    for page in 0..<min(Self.pages(in: size), max(pageCount, other.pageCount)) {
      // Unwritten pages are shared with the other image, which `==` sees at once.
      let (mine, theirs) = (self.page(page), other.page(page))
      guard mine != theirs else { continue }
      for sector in 0..<Self.sectorsPerPage {
        let start = sector * Self.sectorBytes
        let range = start..<(start + Self.sectorBytes)
        guard page * Self.pageBytes + start < size, mine[range] != theirs[range] else { continue }
        found.append(page * Self.sectorsPerPage + sector)
      }
    }
    return found
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

  /// Pages that `count` bytes reach into.
  static func pages(in count: Int) -> Int {
    count / pageBytes + (count % pageBytes == 0 ? 0 : 1)
  }
}
