/// One field that cannot be read or written: where and why.
public struct MalformedField: Error, Sendable, Equatable {
  /// What is wrong with the field.
  public enum Problem: Sendable, Equatable {
    /// The message ends inside the field.
    case truncated(needed: Int, left: Int)
    /// A length or count below -1.
    case negativeLength(Int)
    /// Null although this version has no null.
    case unexpectedNull
    /// A varint of more than five bytes, or above 2^32 - 1.
    case varintTooLong
    /// A string longer than `ProtocolLimits.stringBytesMax`.
    case stringTooLong(byteCount: Int, limit: Int)
    /// A string that is not UTF-8.
    case invalidUtf8
    /// An array of more elements than the remaining bytes can hold.
    case countBeyondMessage(count: Int, left: Int)
    /// More elements than `ProtocolLimits.elementsMax`, counted over the message.
    case tooManyElements(count: Int, limit: Int)
    /// A section of more tagged fields than `ProtocolLimits.tagsMax`.
    case tooManyTags(count: Int, limit: Int)
    /// Tagged fields whose numbers do not rise.
    case tagsOutOfOrder(UInt32, after: UInt32)
    /// A tagged field whose content is not as long as its size says.
    case taggedFieldSize(UInt32, expected: Int, found: Int)
    /// Bytes after the end of a response; requests may have them.
    case trailingBytes(Int)
  }

  /// The message the field is in.
  public var message: MessageName

  /// The field by Kafka's names, from the outermost structure: `Topics[2].Partitions[0].Timestamp`.
  public var field: String

  /// Position in the frame (without its 4-byte size) where the field was to be read or written.
  public var position: Int

  /// What is wrong.
  public var problem: Problem

  /// Takes all four.
  public init(message: MessageName, field: String, position: Int, problem: Problem) {
    self.message = message
    self.field = field
    self.position = position
    self.problem = problem
  }
}

extension MalformedField: CustomStringConvertible {
  /// `Fetch v12 request, Topics[2].Topic at byte 57: string of 40000 bytes, at most 32767`.
  public var description: String {
    "\(message), \(field) at byte \(position): \(problem)"
  }
}

extension MalformedField.Problem: CustomStringConvertible {
  /// The problem in words.
  public var description: String {
    switch self {
    case .truncated(let needed, let left): "needs \(needed) bytes, \(left) are left"
    case .negativeLength(let length): "length \(length)"
    case .unexpectedNull: "null where this version has none"
    case .varintTooLong: "varint does not fit 32 bits"
    case .stringTooLong(let count, let limit): "string of \(count) bytes, at most \(limit)"
    case .invalidUtf8: "string is not UTF-8"
    case .countBeyondMessage(let count, let left): "\(count) elements in \(left) bytes"
    case .tooManyElements(let count, let limit): "\(count) elements, at most \(limit)"
    case .tooManyTags(let count, let limit): "\(count) tagged fields, at most \(limit)"
    case .tagsOutOfOrder(let tag, let last): "tag \(tag) after tag \(last)"
    case .taggedFieldSize(let tag, let expected, let found):
      "tag \(tag) of \(expected) bytes holds \(found)"
    case .trailingBytes(let count): "\(count) bytes left over"
    }
  }
}
