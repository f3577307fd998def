import DiskIO

/// Which of a file's pages the page cache holds. Pages of a mapping count as cached.
extension Inode {
  /// How much of a range is cached; bytes beyond the end of the file are not.
  func residency(of range: Range<Int>) -> Residency {
    if range.isEmpty { return .whole }
    let asked = Self.pages(of: range)
    let present = RangeSet(asked.clamped(to: 0..<PagedBytes.pages(in: size)))
    let cached = Self.count(present.subtracting(coldPages))
    return cached == 0 ? .nothing : cached == asked.count ? .whole : .part
  }

  /// The range was read or written.
  mutating func warm(_ range: Range<Int>) {
    if !coldPages.isEmpty { coldPages.remove(contentsOf: Self.pages(of: range)) }
  }

  /// Nothing is cached: after a power cut.
  mutating func evictAll() { coldPages = RangeSet(0..<PagedBytes.pages(in: size)) }

  /// Drops clean pages of a range from the cache. Sectors of them that a failed sync marked clean
  /// are then read again from the disk. Mapped files keep theirs, as mapped pages do.
  mutating func evict(_ range: Range<Int>) {
    guard memory == nil else { return }
    forgetDroppedContent(range)
    let evicted = Self.pages(of: range.clamped(to: 0..<size))
    for page in evicted where pages.page(page) == durable.page(page) {
      coldPages.insert(contentsOf: page..<page + 1)
    }
  }

  private mutating func forgetDroppedContent(_ range: Range<Int>) {
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

  /// Pages that contain bytes of a range.
  private static func pages(of range: Range<Int>) -> Range<Int> {
    range.isEmpty
      ? 0..<0
      : range.lowerBound / PagedBytes.pageBytes..<PagedBytes.pages(in: range.upperBound)
  }

  private static func count(_ pages: RangeSet<Int>) -> Int {
    pages.ranges.reduce(0) { $0 + $1.count }
  }
}
