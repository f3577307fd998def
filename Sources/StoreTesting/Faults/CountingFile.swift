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

  func checkWritten() throws(DiskError) {
    disk.count(.checkWritten, path)
    try base.checkWritten()
  }

  func startSync() {
    disk.count(.startSync, path)
    base.startSync()
  }

  func map(capacity: Int, writable: Bool) throws(DiskError) -> MappedRegion {
    disk.count(.map, path)
    let region = try base.map(capacity: capacity, writable: writable)
    disk.tally.withLock { $0.countMapping() }
    return MappedRegion(sharing: region, capacity: capacity, isWritable: writable) { [disk] in
      disk.tally.withLock { $0.mappings -= 1 }
    }
  }

  func firstHole(from position: Int) -> Int? {
    disk.count(.firstHole, path)
    return base.firstHole(from: position)
  }

  func residency(of range: Range<Int>) -> Residency? {
    disk.count(.residency, path)
    return base.residency(of: range)
  }

  func advise(_ advice: ReadAdvice, at position: Int, count: Int) {
    disk.count(.advise, path)
    base.advise(advice, at: position, count: count)
  }

  func isAtPath() -> Bool? {
    disk.count(.names, path)
    return base.isAtPath()
  }

  func isLinked() -> Bool? {
    disk.count(.names, path)
    return base.isLinked()
  }

  func abandon() throws(DiskError) {
    disk.count(.abandon, path)
    try base.abandon()
  }

  func send(to socket: Int32, from position: Int, count: Int) throws(DiskError) -> Int {
    disk.count(.send, path)
    return try base.send(to: socket, from: position, count: count)
  }

  func sendDescriptor(for range: Range<Int>) throws(DiskError) -> Int32? {
    disk.count(.send, path)
    return try base.sendDescriptor(for: range)
  }
}
