/// A file that adds something to the reads of another one, and forwards every other call.
package protocol WrappingFile: DiskFile {
  /// The other file.
  var base: any DiskFile { get }
}

extension WrappingFile {
  package var path: String { base.path }
  package func write(_ bytes: Span<UInt8>, at position: Int) throws(DiskError) {
    try base.write(bytes, at: position)
  }
  package func size() throws(DiskError) -> Int { try base.size() }
  package func birth() throws(DiskError) -> FileBirth? { try base.birth() }
  package func truncate(to size: Int) throws(DiskError) { try base.truncate(to: size) }
  package func allocate(to size: Int) throws(DiskError) { try base.allocate(to: size) }
  package func firstHole(from position: Int) -> Int? { base.firstHole(from: position) }
  package func map(capacity: Int, writable: Bool) throws(DiskError) -> MappedRegion {
    try base.map(capacity: capacity, writable: writable)
  }
  package func sync() throws(DiskError) { try base.sync() }
  package func startSync() { base.startSync() }
  package func writeOut() throws(DiskError) { try base.writeOut() }
  package func checkWritten() throws(DiskError) { try base.checkWritten() }
  package func residency(of range: Range<Int>) -> Residency? { base.residency(of: range) }
  package func advise(_ advice: ReadAdvice, at position: Int, count: Int) {
    base.advise(advice, at: position, count: count)
  }
  package func isAtPath() -> Bool? { base.isAtPath() }
  package func isLinked() -> Bool? { base.isLinked() }
  package func abandon() throws(DiskError) { try base.abandon() }
  package func send(to socket: Int32, from position: Int, count: Int) throws(DiskError) -> Int {
    try base.send(to: socket, from: position, count: count)
  }
  package func sendDescriptor(for range: Range<Int>) throws(DiskError) -> Int32? {
    try base.sendDescriptor(for: range)
  }
}
