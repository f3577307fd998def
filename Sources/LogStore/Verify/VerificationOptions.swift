/// How thoroughly, and with how much of the machine, a store is verified.
public struct VerificationOptions: Sendable {
  /// What is looked at.
  public enum Depth: Sendable, CaseIterable {
    /// Batch headers, offsets and CRCs; nothing beside the `.log` files.
    case quick
    /// Also indexes, snapshots and checkpoints against the log.
    case standard
    /// Also every record, decompressed and decoded.
    case deep
  }

  /// What is looked at.
  public var depth = Depth.standard
  /// Segments verified at the same time.
  public var threadCount = 2
  /// Bytes of one read.
  public var chunkBytes = 1 << 20

  /// The defaults: standard depth, two threads, reads of 1 MiB.
  public init() {}
}
