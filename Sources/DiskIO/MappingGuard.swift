internal import CMkstoreShims

/// Lets this process survive memory-mapped files that another process truncates or the disk cannot
/// read.
///
/// ```swift
/// try MappingGuard.install()
/// let region = try file.map(capacity: 4096, writable: false)
/// do {
///   print(try region.load(bigEndian: UInt32.self, at: 0))
/// } catch {
///   print(error)  // another process cut the file, or the disk cannot read it
/// }
/// ```
///
/// Accessing such a page makes the kernel send SIGBUS, whose default action ends the process. With
/// the guard installed, a load or store of `MappedRegion` throws a `DiskError` of that file
/// instead.
public enum MappingGuard {
  /// Installs the guard: the process's handler of SIGBUS, for as long as the process lives.
  ///
  /// The handler acts only on faults within the one function that copies from and to mappings.
  /// Every other SIGBUS goes to the previous handler, or has its default effect. A handler set
  /// later must pass on other faults, and threads that use a mapping must not block SIGBUS. Any
  /// thread, any number of times: only the first call has an effect.
  ///
  /// - Throws: `DiskError` of operation `.access` if the system refuses the handler.
  public static func install() throws(DiskError) {
    let code = mk_guard_install()
    if code != 0 { throw DiskError(.access, "SIGBUS", code: code) }
  }
}
