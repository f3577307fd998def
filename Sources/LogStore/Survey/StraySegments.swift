internal import DiskIO
internal import RecordFormat

/// Finds files that have the name of a segment and are none: their number is within the offsets
/// that the previous segment holds, and another segment holds all their records.
///
/// Examples are a copy under another number, a file made by hand, a text. Taken for segments they
/// would hide the batches after their number. A real segment has an index, or begins with the
/// offset of its name; only if neither holds, the previous segment is walked over.
enum StraySegments {
  /// A file to examine.
  struct Candidate {
    var baseOffset: Int64
    var path: String
    var hasOffsetIndex: Bool

    init(baseOffset: Int64, path: String, hasOffsetIndex: Bool) {
      self.baseOffset = baseOffset
      self.path = path
      self.hasOffsetIndex = hasOffsetIndex
    }
  }

  /// A file that is no segment.
  struct Stray {
    var baseOffset: Int64
    var path: String
    /// One sentence.
    var reason: String
  }

  /// The strays among a log's files, which are given by rising base offset. A file that cannot be
  /// read is not a stray.
  static func find(_ files: [Candidate], _ disk: any Disk) -> [Stray] {
    var strays: [Stray] = []
    var before: Candidate?
    for (index, file) in files.enumerated() {
      let next = index + 1 < files.count ? files[index + 1].baseOffset : Int64.max
      if let segment = before, !file.hasOffsetIndex,
        let reason = reason(file, behind: segment, before: next, disk)
      {
        strays.append(Stray(baseOffset: file.baseOffset, path: file.path, reason: reason))
      } else {
        before = file
      }
    }
    return strays
  }

  private static func reason(
    _ file: Candidate, behind segment: Candidate, before next: Int64, _ disk: any Disk
  ) -> String? {
    do throws(DiskError) {
      // Almost always true: then nothing else is read of it.
      if try beginsWithItsName(file, disk) { return nil }
      let own = try extent(of: file, disk)
      if own?.lowerBound == file.baseOffset { return nil }
      guard let reached = try extent(of: segment, disk)?.upperBound, reached > file.baseOffset
      else { return nil }
      let name = SegmentName(segment.baseOffset, .log).fileName
      let place = "\(name) holds the offsets up to \(reached - 1)"
      guard let own else { return "holds no batch, and \(place)" }
      guard own.upperBound <= reached || own.lowerBound >= next else { return nil }
      return "holds only what is stored elsewhere, and \(place)"
    } catch {
      return nil
    }
  }

  /// Whether a valid batch with the offset of the file's name, or one of the old formats, comes
  /// first.
  private static func beginsWithItsName(
    _ file: Candidate, _ disk: any Disk
  ) throws(DiskError) -> Bool {
    let log = try disk.open(file.path, .read)
    var scanner = SegmentScanner(
      log, endPosition: try log.size(), expectedOffset: file.baseOffset,
      offsetLimit: SegmentScanner.offsetLimit(after: file.baseOffset))
    guard case .batch(let header, _) = try scanner.next() else { return false }
    return header.isLegacy || header.baseOffset == file.baseOffset
  }

  /// The offsets from the first to the last valid batch of a file, whatever follows it; nil if it
  /// has none.
  static func extent(
    of file: Candidate, _ disk: any Disk
  ) throws(DiskError) -> Range<Int64>? {
    let log = try disk.open(file.path, .read)
    var scanner = SegmentScanner(
      log, endPosition: try log.size(), expectedOffset: file.baseOffset,
      offsetLimit: SegmentScanner.offsetLimit(after: file.baseOffset))
    var first: Int64?
    while true {
      switch try scanner.next() {
      case .batch(let header, _):
        // Entries of the old formats may state the last offset of several.
        first = first ?? (header.isLegacy ? file.baseOffset : header.baseOffset)
      case .invalid: _ = try scanner.resume()
      case .end: return first.map { $0..<max($0, scanner.expectedOffset) }
      }
    }
  }
}
