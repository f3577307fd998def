import DiskIO
import LogStore

/// A file of a `CountingDisk`.
final class CountingFile: DiskFile {
  private let base: any DiskFile
  private let disk: CountingDisk

  init(_ base: any DiskFile, of disk: CountingDisk) {
    self.base = base
    self.disk = disk
  }

  deinit {
    disk.tally.withLock { $0.openFiles -= 1 }
  }

  var path: String { base.path }

  var descriptor: Int32? { base.descriptor }

  func read(into buffer: inout MutableSpan<UInt8>, at position: Int) throws(DiskError) -> Int {
    disk.count(.read, path)
    let count = try base.read(into: &buffer, at: position)
    disk.tally.withLock { $0.countRead(count, of: path) }
    return count
  }

  func write(_ bytes: Span<UInt8>, at position: Int) throws(DiskError) {
    disk.count(.write, path)
    try base.write(bytes, at: position)
    let count = bytes.count
    disk.tally.withLock { $0.bytesWritten += count }
  }

  func size() throws(DiskError) -> Int {
    disk.count(.size, path)
    return try base.size()
  }

  func birth() throws(DiskError) -> FileBirth? {
    disk.count(.status, path)
    return try base.birth()
  }

  func truncate(to size: Int) throws(DiskError) {
    disk.count(.truncate, path)
    try base.truncate(to: size)
  }

  func allocate(to size: Int) throws(DiskError) {
    disk.count(.allocate, path)
    try base.allocate(to: size)
  }

  func sync() throws(DiskError) {
    disk.count(.sync, path)
    try base.sync()
  }

  func writeOut() throws(DiskError) {
    disk.count(.writeOut, path)
    try base.writeOut()
  }

  func checkWritten() throws(DiskError) { try base.checkWritten() }

  func map(capacity: Int, writable: Bool) throws(DiskError) -> MappedRegion {
    disk.count(.map, path)
    let region = try base.map(capacity: capacity, writable: writable)
    disk.tally.withLock { $0.countMapping() }
    return MappedRegion(sharing: region, capacity: capacity, isWritable: writable) { [disk] in
      disk.tally.withLock { $0.mappings -= 1 }
    }
  }

  func advise(_ advice: ReadAdvice, at position: Int, count: Int) {
    base.advise(advice, at: position, count: count)
  }
}
