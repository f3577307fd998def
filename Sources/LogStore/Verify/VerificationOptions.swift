/// How thoroughly a store is verified, and with how many threads.
///
/// ```swift
/// var options = VerificationOptions()
/// options.depth = .deep
/// options.threadCount = 8
/// let report = try LogVerifier(PosixDisk(), options).verify(["data"])
/// ```
public struct VerificationOptions: Sendable {
  /// What is checked.
  public enum Depth: Sendable, CaseIterable {
    /// Batch headers, offsets and CRCs; only the `.log` files.
    case quick
    /// Also indexes, snapshots and checkpoints against the log.
    case standard
    /// Also every record, decompressed and decoded.
    case deep
  }

  /// What is checked.
  public var depth = Depth.standard
  /// Segments verified at the same time.
  public var threadCount = 2
  /// Bytes of one read.
  public var chunkBytes = 1 << 20

  /// The defaults: standard depth, two threads, reads of 1 MiB.
  public init() {}
}
