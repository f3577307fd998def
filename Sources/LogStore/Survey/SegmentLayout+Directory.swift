internal import DiskIO

extension SegmentLayout {
  /// Why a damaged `.swap` is not one of the log's segments.
  static let damagedSwapReason =
    "it is damaged, and the segment that it was to replace is still there"

  /// Classifies the names of a directory, and walks over its `.swap` logs.
  init(
    _ names: [DirectoryEntry], in directory: LogDirectory
  ) throws(DiskError) {
    try self.init(
      names, swap: { (name) throws(DiskError) in try Self.look(name, directory) },
      isEmpty: { (name) throws(DiskError) in
        try directory.disk.status(directory.path(name))?.size ?? 0 == 0
      })
  }

  /// An empty one is not whole: the cleaner had written something into it.
  private static func look(_ name: String, _ directory: LogDirectory) throws(DiskError) -> Swap {
    guard let base = SegmentName(name)?.baseOffset else { return Swap(end: 0, isWhole: false) }
    let file = try directory.disk.open(directory.path(name), .read)
    var scanner = SegmentScanner(
      file, endPosition: try file.size(), expectedOffset: base,
      offsetLimit: SegmentScanner.offsetLimit(after: base))
    while case .batch = try scanner.next() {}
    let isWhole = scanner.position == scanner.endPosition && scanner.endPosition > 0
    return Swap(end: scanner.expectedOffset, isWhole: isWhole)
  }
}
