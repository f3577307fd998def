/// One sync that takes the place of one for each file and directory of a file system.
///
/// Given by `Disk.sharedSync(of:)`, and only where it proves as much as theirs. Any thread may
/// call.
public protocol SharedSync: AnyObject, Sendable {
  /// Whether a directory stands on the same file system, so that a sync covers it and its files.
  func covers(_ directory: String) throws(DiskError) -> Bool

  /// Bytes that a sync might have to write now, anybody's on this machine; nil where that cannot be
  /// known.
  var pendingBytes: Int? { get }

  /// Makes everything durable that was changed on the file system before the call: contents, sizes
  /// and names.
  ///
  /// - Throws: Where something of anybody's was not written; then nothing is known to be durable,
  ///   and what could not be written is told once more, by the file's own `sync`.
  func sync() throws(DiskError)
}

extension Disk {
  /// There is none unless the disk says so.
  public func sharedSync(of path: String) throws(DiskError) -> (any SharedSync)? { nil }
}
