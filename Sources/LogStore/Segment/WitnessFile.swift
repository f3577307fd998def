internal import DiskIO

/// A segment's file as a reader that does not own the log has it: pages that hold known damage do
/// not stay in the page cache after a read.
///
/// The log may be served by another process, which takes cached bytes for checked ones
/// (docs/serving.md); neighbours of a damaged batch, in the same pages or read ahead, would bring
/// them back. Any thread.
final class WitnessFile: DiskFile {
  private let base: any DiskFile
  private let damage: SegmentDamage

  /// Reads farther away bring no page of the damage back: more the system does not read ahead.
  private static let reachBytes = 2 << 20

  init(_ base: any DiskFile, _ damage: SegmentDamage) {
    self.base = base
    self.damage = damage
  }

  var path: String { base.path }
  var descriptor: Int32? { base.descriptor }

  func read(into buffer: inout MutableSpan<UInt8>, at position: Int) throws(DiskError) -> Int {
    let count = try base.read(into: &buffer, at: position)
    let reach = max(0, position - Self.reachBytes)..<position + count + Self.reachBytes
    for range in damage.ranges where range.bytes.overlaps(reach) {
      base.dropPages(around: range.bytes)
    }
    return count
  }

  func write(_ bytes: Span<UInt8>, at position: Int) throws(DiskError) {
    try base.write(bytes, at: position)
  }
  func size() throws(DiskError) -> Int { try base.size() }
  func birth() throws(DiskError) -> FileBirth? { try base.birth() }
  func truncate(to size: Int) throws(DiskError) { try base.truncate(to: size) }
  func allocate(to size: Int) throws(DiskError) { try base.allocate(to: size) }
  func sync() throws(DiskError) { try base.sync() }
  func map(capacity: Int, writable: Bool) throws(DiskError) -> MappedRegion {
    try base.map(capacity: capacity, writable: writable)
  }
  func advise(_ advice: ReadAdvice, at position: Int, count: Int) {
    base.advise(advice, at: position, count: count)
  }
}
