internal import DiskIO

/// A segment's file as a reader that does not own the log has it: pages that hold known damage do
/// not stay in the page cache after a read.
///
/// The log may be served by another process, which takes cached bytes for checked ones
/// (docs/serving.md); neighbours of a damaged batch, in the same pages or read ahead, would bring
/// them back. Any thread.
final class WitnessFile: WrappingFile {
  package let base: any DiskFile
  private let damage: SegmentDamage

  /// Reads farther away bring no page of the damage back: more the system does not read ahead.
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
