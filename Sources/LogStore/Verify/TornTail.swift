/// Bytes at the end of a log that an interrupted write left; not damage: no batch in them was
/// acknowledged. The next opening cuts them off and keeps them in `.bad/`.
///
/// ```swift
/// let report = try LogVerifier().verify(["data/orders-0"])
/// for tail in report.tornTails { print("\(tail.file): \(tail.bytes.count) bytes to be cut off") }
/// ```
public struct TornTail: Sendable, Hashable, CustomStringConvertible {
  /// Path of the `.log` file.
  public var file: String
  /// Positions of the bytes, up to the file's end.
  public var bytes: Range<Int>
  /// Offset that the first batch in them would have had.
  public var offset: Int64
  /// Why they are not a batch, one sentence.
  public var reason: String

  /// File, position, offset and reason in one line.
  public var description: String {
    "\(file) at position \(bytes.lowerBound), \(bytes.count) bytes from offset \(offset) on: "
      + reason
  }
}
