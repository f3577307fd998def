import DiskIO

/// A disk that does what another one does, but for what its type does itself.
protocol ForwardingDisk: Disk {
  var base: any Disk { get }
}

extension ForwardingDisk {
  var bootIdentifier: UInt64 { base.bootIdentifier }

  func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
    try base.open(path, mode)
  }
  func status(_ path: String) throws(DiskError) -> FileStatus? { try base.status(path) }
  func list(_ directory: String) throws(DiskError) -> [DirectoryEntry] { try base.list(directory) }
  func makeDirectory(_ path: String) throws(DiskError) { try base.makeDirectory(path) }
  func rename(_ source: String, to destination: String) throws(DiskError) {
    try base.rename(source, to: destination)
  }
  func remove(_ path: String) throws(DiskError) { try base.remove(path) }
  func removeDirectory(_ path: String) throws(DiskError) { try base.removeDirectory(path) }
  func syncDirectory(_ path: String) throws(DiskError) { try base.syncDirectory(path) }
  func lock(_ path: String) throws(DiskError) -> any DiskLock { try base.lock(path) }
  func space(_ path: String) throws(DiskError) -> DiskSpace { try base.space(path) }
}

/// A file that does what another one does, but for what its type does itself.
protocol ForwardingFile: DiskFile {
  var base: any DiskFile { get }
}

extension ForwardingFile {
  var path: String { base.path }
  /// None: what is read and written goes through the type.
  var descriptor: Int32? { nil }

  func size() throws(DiskError) -> Int { try base.size() }
  func read(into buffer: inout MutableSpan<UInt8>, at position: Int) throws(DiskError) -> Int {
    try base.read(into: &buffer, at: position)
  }
  func write(_ bytes: Span<UInt8>, at position: Int) throws(DiskError) {
    try base.write(bytes, at: position)
  }
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
