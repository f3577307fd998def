/// Bytes of a segment that should be valid batches and are not, and the offsets lost with them.
/// Everything before and after is still served.
///
/// ```swift
/// for range in log.damagedRanges {
///   print("\(range.file): \(range.bytes.count) bytes are damaged: \(range.reason)")
///   if let lost = range.offsets { print("read on at offset \(lost.upperBound)") }
/// }
/// ```
public struct DamagedRange: Sendable, Hashable, CustomStringConvertible {
  /// Path of the `.log` file.
  public var file: String
  /// Positions of the damaged bytes; empty if bytes are missing at the file's end.
  public var bytes: Range<Int>
  /// Offsets that cannot be read: from the next expected one to the first that is readable again.
  /// nil if the end is unknown, because nothing follows.
  public var offsets: Range<Int64>?
  /// What is wrong with the bytes, one sentence.
  public var reason: String

  /// Memberwise.
  package init(file: String, bytes: Range<Int>, offsets: Range<Int64>?, reason: String) {
    self.file = file
    self.bytes = bytes
    self.offsets = offsets
    self.reason = reason
  }

  /// File, position, offsets and reason in one line.
  public var description: String {
    var text = "\(file) at position \(bytes.lowerBound), \(bytes.count) bytes"
    if let offsets {
      text +=
        offsets.isEmpty
        ? ", no offsets lost" : ", offsets \(offsets.lowerBound) to \(offsets.upperBound - 1) lost"
    } else {
      text += ", offsets from there on lost"
    }
    return text + ": " + reason
  }
}
