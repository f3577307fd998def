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

/// A file that does what another one does, but for what its type does itself. What is sent goes
/// through the type's own `read`.
protocol ForwardingFile: WrappingFile {}

extension ForwardingFile {
  func read(into buffer: inout MutableSpan<UInt8>, at position: Int) throws(DiskError) -> Int {
    try base.read(into: &buffer, at: position)
  }
  func send(to socket: Int32, from position: Int, count: Int) throws(DiskError) -> Int {
    try sendCopy(to: socket, from: position, count: count)
  }
  func sendDescriptor(for range: Range<Int>) throws(DiskError) -> Int32? { nil }
}
