/// Identifies a file among all that its file system has had: renaming keeps it, a copy has another
/// one, and a reused inode number comes with another time.
///
/// ```swift
/// let birth = try disk.open("data/a", .read).birth()
/// try disk.rename("data/a", to: "data/b")
/// let isSame = try disk.open("data/b", .read).birth() == birth  // true
/// ```
public struct FileBirth: Sendable, Hashable {
  /// The inode number.
  public var inode: UInt64
  /// When the file was made, nanoseconds since 1970 UTC.
  public var timeNs: Int64

  /// Memberwise.
  public init(inode: UInt64, timeNs: Int64) {
    self.inode = inode
    self.timeNs = timeNs
  }
}
