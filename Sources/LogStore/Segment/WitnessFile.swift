internal import DiskIO

/// A segment's file for a reader that does not own the log: drops pages with known damage from the
/// page cache after each read.
///
/// Another process may serve the log and take cached bytes for checked ones (docs/serving.md).
/// Reads near a damaged batch, in the same pages or through readahead, would bring its pages back.
/// Any thread.
final class WitnessFile: WrappingFile {
  let base: any DiskFile
  private let damage: SegmentDamage

  /// Reads farther away do not bring damaged pages back: readahead is shorter.
  private static let reachBytes = 2 << 20

  init(_ base: any DiskFile, _ damage: SegmentDamage) {
    self.base = base
    self.damage = damage
  }

  func read(into buffer: inout MutableSpan<UInt8>, at position: Int) throws(DiskError) -> Int {
    let count = try base.read(into: &buffer, at: position)
    let reach = max(0, position - Self.reachBytes)..<position + count + Self.reachBytes
    for range in damage.ranges where range.bytes.overlaps(reach) {
      base.dropPages(around: range.bytes)
    }
    return count
  }
}
