/// Damage that was accepted: batches without records cover its offsets, so that readers continue
/// after it, and its bytes are kept in the log's `.bad/`.
///
/// ```swift
/// for loss in try log.acceptLossesBlocking() {
///   print("offsets \(loss.offsets) are lost: \(loss.reason)")
///   if let name = loss.keptAs { print("their bytes are in \(log.path)/.bad/\(name)") }
/// }
/// ```
public struct AcceptedLoss: Sendable, Equatable, CustomStringConvertible {
  /// The offsets that are lost; empty if the damaged bytes held none.
  public var offsets: Range<Int64>
  /// Name of the `.log` file that held them, or would have.
  public var file: String
  /// Where the damaged bytes were in that file; empty if bytes were missing.
  public var bytes: Range<Int>
  /// Name of the file in `.bad/` that holds the bytes; nil if there were none, or only zeros.
  public var keptAs: String?
  /// When it was accepted, milliseconds since 1970 UTC.
  public var acceptedMs: Int64
  /// What was wrong, one sentence.
  public var reason: String

  /// Memberwise.
  package init(
    offsets: Range<Int64>, file: String, bytes: Range<Int>, keptAs: String?, acceptedMs: Int64,
    reason: String
  ) {
    self.offsets = offsets
    self.file = file
    self.bytes = bytes
    self.keptAs = keptAs
    self.acceptedMs = acceptedMs
    self.reason = reason
  }

  /// Offsets, file and reason in one line.
  public var description: String {
    let what =
      offsets.isEmpty
      ? "damage that held no offsets"
      : "the loss of offsets \(offsets.lowerBound) to \(offsets.upperBound - 1)"
    let place = "\(file) at position \(bytes.lowerBound), \(bytes.count) bytes"
    let kept = keptAs.map { ", kept as .bad/\($0)" } ?? ""
    return "\(what) (\(place)\(kept)): \(reason)"
  }
}
