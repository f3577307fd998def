/// How the records of a batch are compressed: bits 0–2 of its attributes.
///
/// ```swift
/// let codec = try BatchHeader(bytes.span).codec
/// if codec != .none { print("compressed by \(codec)") }
/// ```
public enum CompressionCodec: Int8, Sendable, BitwiseCopyable, CaseIterable,
  CustomStringConvertible
{
  /// Plain records.
  case none = 0
  /// One or more RFC 1952 members.
  case gzip = 1
  /// Xerial framing, or one raw block as librdkafka sends it.
  case snappy = 2
  /// An LZ4 frame.
  case lz4 = 3
  /// Zstandard frames; not before magic 2.
  case zstd = 4

  /// Kafka's name for it, as in `compression.type`.
  public var description: String {
    switch self {
    case .none: "none"
    case .gzip: "gzip"
    case .snappy: "snappy"
    case .lz4: "lz4"
    case .zstd: "zstd"
    }
  }
}
