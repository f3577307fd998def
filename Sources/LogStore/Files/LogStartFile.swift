internal import DiskIO

/// The log start offset of one log (`mkstore.start` in the log's directory): offsets below it were
/// deleted.
///
/// Text with a CRC (docs/format.md#mkstorestart), since Kafka's checkpoint of log starts has none.
/// Read strictly: content that is not byte for byte what `encoded` writes is unreadable. A log
/// whose start was never raised has no such file.
struct LogStartFile: Sendable, Equatable {
  /// The file's name.
  static let name = "mkstore.start"
  /// Largest file that is read.
  static let bytesMax = 4096

  /// Offset of the first record that may be read.
  var offset: Int64

  /// Memberwise.
  init(_ offset: Int64) {
    self.offset = offset
  }

  /// Reads a log's file; nil if there is none.
  static func read(
    _ directory: LogDirectory
  ) throws(CheckpointError) -> LogStartFile? {
    let path = directory.path(name)
    guard let bytes = try SmallFile.read(directory.disk, path, limit: bytesMax) else { return nil }
    return try LogStartFile(bytes, path: path)
  }

  /// Reads a file's content; `path` is for messages.
  init(_ bytes: [UInt8], path: String) throws(CheckpointError) {
    let last = String(decoding: bytes, as: UTF8.self).split(separator: "\n").last ?? ""
    offset = Int64(last.dropFirst(Self.offsetKey.count)) ?? -1
    guard offset >= 0, bytes == encoded else {
      throw .unreadable(path: path, line: nil, what: "the CRC or another part of it is wrong")
    }
  }

  /// Replaces a log's file, durably.
  func write(_ directory: LogDirectory) throws(DiskError) {
    try SmallFile.writeAtomically(
      directory.disk, directory: directory.path, name: Self.name, encoded)
  }

  /// The file's content.
  var encoded: [UInt8] {
    CheckedText.encode(Array("version: 1\n\(Self.offsetKey)\(offset)\n".utf8))
  }

  private static let offsetKey = "log_start_offset: "
}
