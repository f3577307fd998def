internal import CShims
internal import Glibc

extension DiskFile {
  /// Whether a read of these bytes would find all of them in the page cache, so that it needs no
  /// disk. True where that cannot be known: no descriptor (simulation), or a kernel before 6.5.
  ///
  /// - Complexity: One system call that looks at each page's entry, about 1 µs for 1 MiB.
  package func isCached(at position: Int, count: Int) -> Bool {
    guard let descriptor, count > 0 else { return true }
    let cached = mk_cached_pages(descriptor, Int64(position), Int64(count))
    guard cached >= 0 else { return true }
    let pageBytes = Int(mk_page_bytes())
    let pages = (position + count - 1) / pageBytes - position / pageBytes + 1
    return Int(cached) >= pages
  }

  /// Takes the pages that hold `range` out of the page cache, as far as they are clean, so that
  /// what was read from a rotten place is not there for others, who would take it for checked.
  ///
  /// - Complexity: A few system calls; neighbours up to 2 MiB on either side go too, since the
  ///   system drops a group of pages only as a whole.
  package func dropPages(around range: Range<Int>) {
    guard !range.isEmpty else { return }
    let start = range.lowerBound / Self.largestFolioBytes * Self.largestFolioBytes
    let count = (range.upperBound - start) / Self.largestFolioBytes * Self.largestFolioBytes
    for _ in 0..<Self.dropAttemptsMax {
      advise(.dontNeed, at: start, count: count + Self.largestFolioBytes)
      // A page that somebody looks at just now stays.
      guard let descriptor,
        mk_cached_pages(descriptor, Int64(range.lowerBound), Int64(range.count)) > 0
      else { return }
    }
  }

  /// The largest group of pages that Linux keeps as one.
  private static var largestFolioBytes: Int { 2 << 20 }
  private static var dropAttemptsMax: Int { 3 }

  /// Whether its path still leads to the file, and not to nothing or to another one. True where
  /// that cannot be known: no descriptor (simulation), or no status.
  package var isStillNamed: Bool {
    guard let descriptor else { return true }
    return PosixDisk.isNamed(descriptor, path)
  }

  /// Whether the file's last name is gone, so that nobody will find its bytes again. False where
  /// that cannot be known: no descriptor (simulation).
  package var isUnlinked: Bool {
    guard let descriptor else { return false }
    return mk_link_count(descriptor) == 0
  }

  /// Where the first bytes at or after `position` are that were never written: a hole, or the
  /// file's end. nil where that cannot be known: no descriptor (simulation), or the file system
  /// does not tell.
  package func firstHole(from position: Int) -> Int? {
    guard let descriptor else { return nil }
    let found = mk_next_hole(descriptor, Int64(position))
    if found == -Int64(ENXIO) { return position }
    return found >= 0 ? Int(found) : nil
  }
}
