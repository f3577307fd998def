/// A tagged field whose number this package does not know.
///
/// A newer peer may send such fields in any structure; they are kept unchanged and written back in
/// place, so that a message passes through unchanged.
public struct TaggedField: Sendable, Hashable {
  /// The field's number; rising within one structure.
  public var tag: UInt32

  /// The field's bytes, without number and size.
  public var bytes: [UInt8]

  /// Takes number and bytes.
  public init(tag: UInt32, bytes: [UInt8]) {
    self.tag = tag
    self.bytes = bytes
  }
}
