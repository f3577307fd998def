/// How batches are written. All of `CompressionCodec` can be read; two of them are written.
///
/// ```swift
/// let builder = RecordBatchBuilder(compression: .zstd(level: 9))
/// print(builder.compression)  // zstd:9
/// let parsed = Compression("zstd:9")  // the same; nil for a codec that is not written
/// ```
public enum Compression: Sendable, Equatable, CustomStringConvertible {
  /// Plain records.
  case none
  /// Zstandard with the content size in the frame. Levels as in `zstdLevels`.
  case zstd(level: Int)

  /// The level of a bare `zstd`.
  public static let zstdLevelDefault = 3

  /// Levels of `zstd`: 1 to 19, larger is smaller and slower; negative ones are faster still.
  public static let zstdLevels = -131_072...19

  /// Zstandard at its default level.
  public static let zstd = Compression.zstd(level: zstdLevelDefault)

  /// The codec in a batch's attributes.
  public var codec: CompressionCodec {
    switch self {
    case .none: .none
    case .zstd: .zstd
    }
  }

  /// `none`, `zstd` or `zstd:LEVEL`; what `init(_:)` reads.
  public var description: String {
    switch self {
    case .none: "none"
    case .zstd(Compression.zstdLevelDefault): "zstd"
    case .zstd(let level): "zstd:\(level)"
    }
  }

  /// Reads `none` (or Kafka's `uncompressed`), `zstd` or `zstd:LEVEL`; nil for anything else and
  /// for levels outside `zstdLevels`, 0 included.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    switch (parts[0], parts.count) {
    case ("none", 1), ("uncompressed", 1): self = .none
    case ("zstd", 1): self = .zstd
    case ("zstd", 2):
      guard let level = Int(parts[1]), Compression.zstdLevels.contains(level), level != 0 else {
        return nil
      }
      self = .zstd(level: level)
    default: return nil
    }
  }
}
