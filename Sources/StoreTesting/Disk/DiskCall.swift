public import DiskIO

/// One call of a traced disk, in order.
///
/// ```swift
/// disk.setTracing(true)
/// // ... run the scenario ...
/// for call in disk.trace where call.operation == .sync { print(call.path) }
/// ```
public struct DiskCall: Sendable, Equatable, CustomStringConvertible {
  /// Which call.
  public var operation: DiskError.Operation
  /// The path it concerned; the old name for a rename.
  public var path: String

  /// Memberwise.
  public init(_ operation: DiskError.Operation, _ path: String) {
    self.operation = operation
    self.path = path
  }

  /// `operation path`.
  public var description: String { "\(operation.rawValue) \(path)" }
}
