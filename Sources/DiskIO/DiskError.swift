/// A call to the file system that failed: which, on what, and the system's reason.
///
/// ```swift
/// do {
///   _ = try disk.open("data/a", .read)
/// } catch where error.isNotFound {
///   print(error)  // open data/a: No such file or directory (check the path)
/// }
/// ```
public struct DiskError: Error, Sendable, Equatable {
  /// The call that failed.
  public enum Operation: String, Sendable, CaseIterable {
    case open, create, status, list, makeDirectory, rename, remove, removeDirectory, syncDirectory
    case syncFileSystem, lock, availableBytes, read, write, size, truncate, allocate, sync
    case writeOut, checkWritten, map, abandon, send
    /// Reading or writing bytes of a mapping.
    case access
    /// Hints and questions that never fail; a disk counts them, and one in memory can make them
    /// answer "unknown".
    case startSync, residency, advise, names, firstHole
  }

  /// The call that failed.
  public var operation: Operation
  /// The file or directory that it concerned.
  public var path: String
  /// The system's error number (`errno`).
  public var code: Int32
  /// Process that holds the lock, for a refused `.lock`, if the system reports it.
  public var holder: Int32?

  /// Memberwise.
  public init(_ operation: Operation, _ path: String, code: Int32, holder: Int32? = nil) {
    self.operation = operation
    self.path = path
    self.code = code
    self.holder = holder
  }
}
