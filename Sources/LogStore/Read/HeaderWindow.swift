internal import DiskIO
internal import RecordFormat

/// A few kilobytes of a file around the last header that was read.
///
/// The bytes below a segment's published end never change (I4), so cached bytes stay right. Owned
/// by one reader; no allocation after the first use.
struct HeaderWindow {
  private var file: (any DiskFile)?
  private var start = 0
  private var count = 0
  private var bytes: [UInt8] = []
  /// Size of the last batch: if batches are large, reading more than a header is waste.
  private var lastByteCount = 0

  /// The header of the batch at `position`; nil if none can be read there, also because of a bad
  /// sector.
  mutating func header(_ file: any DiskFile, at position: Int, end: Int) throws(DiskError)
    -> BatchBrief?
  {
    let isHere =
      self.file === file && position >= start
      && position + BatchHeader.byteCountMin <= start + count
    if !isHere, try !fill(file, position, end) { return nil }
    guard let header = BatchBrief(bytes.span.extracting(position - start..<count)) else {
      return nil
    }
    lastByteCount = header.byteCount
    return header
  }

  /// Returns whether the disk could read the header's bytes; what follows them may be unreadable.
  private mutating func fill(
    _ file: any DiskFile, _ position: Int, _ end: Int
  ) throws(DiskError) -> Bool {
    if bytes.isEmpty { bytes = [UInt8](repeating: 0, count: BatchFinder.windowBytes) }
    let isLarge = lastByteCount > BatchFinder.windowBytes / 2
    // The file may hold unpublished bytes after `end`; they are not read.
    let bounded = max(0, min(isLarge ? BatchHeader.byteCountMin : bytes.count, end - position))
    for wanted in [bounded, min(bounded, BatchHeader.byteCountMin)] {
      do throws(DiskError) {
        try fill(file, position, count: wanted)
        return true
      } catch {
        guard error.isUnreadableSector else { throw error }
      }
    }
    return false
  }

  private mutating func fill(
    _ file: any DiskFile, _ position: Int, count wanted: Int
  ) throws(DiskError) {
    self.file = file
    start = position
    count = 0
    var target = bytes.mutableSpan
    var part = target._mutatingExtracting(first: wanted)
    count = try file.read(into: &part, at: position)
  }
}
