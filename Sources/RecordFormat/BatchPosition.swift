/// A position in a batch.
///
/// ```swift
/// do {
///   _ = try batch.records(&decoder)
/// } catch .record(let index, let field, let position, _, _) {
///   print("record \(index): \(field) at \(position)")  // record 2: key at inflated byte 40
/// }
/// ```
public enum BatchPosition: Sendable, Equatable, CustomStringConvertible {
  /// Bytes from the batch's first byte.
  case stored(Int)
  /// Bytes from the first byte of the inflated records.
  case inflated(Int)

  /// `byte N` or `inflated byte N`.
  public var description: String {
    switch self {
    case .stored(let position): "byte \(position)"
    case .inflated(let position): "inflated byte \(position)"
    }
  }
}
