public import DiskIO

/// One call that a traced disk has seen, in order.
public struct DiskCall: Sendable, Equatable, CustomStringConvertible {
  /// Which call.
  public var operation: DiskError.Operation
  /// The path it was about; the old name for a rename.
  public var path: String

  /// Memberwise.
  public init(_ operation: DiskError.Operation, _ path: String) {
    self.operation = operation
    self.path = path
  }

  /// `operation path`.
  public var description: String { "\(operation.rawValue) \(path)" }
}
