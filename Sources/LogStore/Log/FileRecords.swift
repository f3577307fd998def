public import DiskIO

/// Whole batches of a log as bytes of a file: what `sendfile` is given.
///
/// The bytes never change and were checked by this process since it opened the log (or written by
/// it); a page that the kernel evicted since and reads again is not checked again
/// (docs/durability.md#verified). The file stays open as long as this value lives.
public struct FileRecords: Sendable {
  /// The segment's `.log` file.
  public let file: any DiskFile
  /// Position of the first byte: a batch's start.
  public let position: Int
  /// Number of bytes; ends with a batch.
  public let byteCount: Int
  /// Offset of the first batch's first record, at or below the offset that was asked for.
  public let baseOffset: Int64
  /// Offset to go on reading at.
  public let nextOffset: Int64
}
