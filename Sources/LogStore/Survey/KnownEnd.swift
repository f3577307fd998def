internal import DiskIO

/// Where a segment ends by a mark, if the next segment's name contradicts it: a line `end <offset>
/// <byte count> <next segment's base offset> <file>` of `mkstore.lost`.
///
/// Damage up to the end of such a file loses the offsets up to `offset`, and not up to the name of
/// a file that is no segment of the log. The mark moves on; its information stays true of a file
/// that is no longer written.
package struct KnownEnd: Sendable, Equatable {
  /// The offset after the segment's last record.
  package var offset: Int64
  /// Size of the `.log`, and where its next segment begins by its name: the line applies to no
  /// other file.
  package var byteCount: Int
  var nextBaseOffset: Int64
  /// Name of the `.log`.
  package var file: String

  private static let keyword = "end"

  /// Memberwise.
  package init(offset: Int64, byteCount: Int, nextBaseOffset: Int64, file: String) {
    self.offset = offset
    self.byteCount = byteCount
    self.nextBaseOffset = nextBaseOffset
    self.file = file
  }

  /// Reads a line; nil if it is of another kind.
  init?(_ line: Substring) {
    let fields = line.split(separator: " ", omittingEmptySubsequences: false)
    guard fields.count == 5, fields[0] == Self.keyword, let offset = Int64(fields[1]), offset >= 0,
      let byteCount = Int(fields[2]), byteCount >= 0, let next = Int64(fields[3]), next >= 0,
      !fields[4].isEmpty
    else { return nil }
    self.init(offset: offset, byteCount: byteCount, nextBaseOffset: next, file: String(fields[4]))
  }

  /// The line, without its end.
  var line: String { "\(Self.keyword) \(offset) \(byteCount) \(nextBaseOffset) \(file)" }

  /// Whether it applies to this segment.
  func isOf(_ place: SegmentPlace, size: Int) -> Bool {
    file == place.entry.logName && byteCount == size && nextBaseOffset == place.nextBaseOffset
  }
}
