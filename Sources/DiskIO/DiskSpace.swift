/// The size of a file system.
public struct DiskSpace: Sendable, Equatable {
  /// All of its bytes.
  public var totalBytes: Int64
  /// Bytes that an unprivileged writer may still allocate.
  public var availableBytes: Int64

  /// Says both.
  public init(totalBytes: Int64, availableBytes: Int64) {
    self.totalBytes = totalBytes
    self.availableBytes = availableBytes
  }
}

extension Disk {
  /// Bytes that an unprivileged writer may still allocate on the file system holding `path`.
  public func availableBytes(_ path: String) throws(DiskError) -> Int64 {
    try space(path).availableBytes
  }
}
