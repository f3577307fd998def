/// One sync that replaces one for each file and directory of a file system.
///
/// ```swift
/// if let shared = try disk.sharedSync(of: "data/a") {
///   for file in files { try file.writeOut() }
///   try shared.sync()
///   for file in files { try file.checkWritten() }  // throws if a write to this one was lost
/// }
/// ```
///
/// Returned by `Disk.sharedSync(of:)`, and only if it proves as much as theirs. Any thread may
/// call.
public protocol SharedSync: AnyObject, Sendable {
  /// Whether a directory is on the same file system, so that a sync covers it and its files.
  func covers(_ directory: String) throws(DiskError) -> Bool

  /// Bytes that a sync might have to write now, from all programs on this machine; nil if unknown.
  var pendingBytes: Int? { get }

  /// Makes everything durable that was changed on the file system before the call: contents, sizes
  /// and names.
  ///
  /// - Throws: If some bytes, of any program, were not written. Nothing is then known to be
  ///   durable, and each file's own `sync` reports once more what could not be written.
  func sync() throws(DiskError)
}

extension Disk {
  /// Default: there is none.
  public func sharedSync(of path: String) throws(DiskError) -> (any SharedSync)? { nil }
}
