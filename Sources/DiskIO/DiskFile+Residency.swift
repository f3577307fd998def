extension DiskFile {
  /// Whether all of these bytes are in the page cache, so that a read needs no disk. False if the
  /// disk does not know.
  package func isCached(at position: Int, count: Int) -> Bool {
    count <= 0 || residency(of: position..<position + count) == .whole
  }

  /// Drops the pages that hold `range` from the page cache, if they are clean, so that bytes read
  /// from a corrupted place are not left for other processes, which would take them for checked.
  ///
  /// - Complexity: A few system calls; neighbours up to 2 MiB on either side are dropped too, since
  ///   the system drops a group of pages only as a whole.
  package func dropPages(around range: Range<Int>) {
    guard !range.isEmpty else { return }
    let start = range.lowerBound / Self.largestFolioBytes * Self.largestFolioBytes
    let count = (range.upperBound - start) / Self.largestFolioBytes * Self.largestFolioBytes
    for _ in 0..<Self.dropAttemptsMax {
      advise(.dontNeed, at: start, count: count + Self.largestFolioBytes)
      // A page that another thread or process is reading right now is not dropped.
      guard let left = residency(of: range), left != .nothing else { return }
    }
  }

  /// The largest group of pages that Linux keeps as one.
  private static var largestFolioBytes: Int { 2 << 20 }
  private static var dropAttemptsMax: Int { 3 }
}

extension DiskFile {
  /// Whether its path still leads to the file, as far as the disk knows.
  package var isStillNamed: Bool { isAtPath() ?? true }

  /// Whether the file has no name left, as far as the disk knows, so that its bytes are lost once
  /// it is closed.
  package var isUnlinked: Bool { isLinked() == false }
}
