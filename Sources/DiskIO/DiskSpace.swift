/// The size of a file system.
///
/// ```swift
/// let space = try disk.space("data")
/// print("\(space.availableBytes) of \(space.totalBytes) bytes are free")
/// ```
public struct DiskSpace: Sendable, Equatable {
  /// All of its bytes.
  public var totalBytes: Int64
  /// Bytes that an unprivileged writer may still allocate.
  public var availableBytes: Int64

  /// Memberwise.
  public init(totalBytes: Int64, availableBytes: Int64) {
    self.totalBytes = totalBytes
    self.availableBytes = availableBytes
  }
}
