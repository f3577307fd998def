internal import DiskIO

/// The bytes of an index, mapped or not, so that `IndexFile` need not distinguish.
enum IndexBytes: Sendable {
  /// Mapped from the file, or separate memory.
  case region(MappedRegion)
  /// Read and written by system calls.
  case blocks(IndexBlocks)

  /// For an open file of `byteCount` bytes of entries; mapped or not as the directory's owner has
  /// chosen.
  ///
  /// - Parameter capacity: Bytes that the file may grow to.
  static func of(
    _ file: any DiskFile, in directory: LogDirectory, entryBytes: Int, byteCount: Int,
    capacity: Int, writable: Bool
  ) throws(DiskError) -> IndexBytes {
    if directory.mapsIndexes {
      return .region(try file.map(capacity: capacity, writable: writable))
    }
    return .blocks(
      IndexBlocks(
        directory.disk, path: file.path, entryBytes: entryBytes, byteCount: byteCount))
  }

  /// The big-endian integer at a position below the end of the entries.
  @inline(__always)
  func load<Word: FixedWidthInteger & BitwiseCopyable>(
    _ type: Word.Type, at position: Int
  ) throws(DiskError) -> Word {
    switch self {
    case .region(let region): try region.load(bigEndian: type, at: position)
    case .blocks(let blocks): try blocks.load(type, at: position)
    }
  }

  /// Appends an integer, and a second one if given, big-endian, at the end of the entries.
  @inline(__always)
  func append(_ first: UInt64, _ second: UInt32?, at position: Int) throws(DiskError) {
    switch self {
    case .region(let region):
      try region.store(bigEndian: first, at: position)
      if let second { try region.store(bigEndian: second, at: position + 8) }
    case .blocks(let blocks): try blocks.append(first, second)
    }
  }

  /// Writes the appended entries to the file; does nothing for a mapping.
  func writeOut() throws(DiskError) {
    if case .blocks(let blocks) = self { try blocks.writeOut() }
  }
}
