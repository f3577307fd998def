/// One header of a record: a name, which may repeat, and a value, which may be null.
///
/// ```swift
/// let header = RecordHeader(name: "currency", value: Array("EUR".utf8))
/// print(header.nameText)  // currency
/// ```
public struct RecordHeader: Sendable, Equatable, Hashable {
  /// The name's bytes; UTF-8 by Kafka's rules, although Kafka does not enforce them.
  public var name: [UInt8]
  /// The value.
  public var value: [UInt8]?

  /// Makes a header from bytes.
  public init(name: [UInt8], value: [UInt8]?) {
    self.name = name
    self.value = value
  }

  /// Makes a header with a name as text.
  public init(name: String, value: [UInt8]?) {
    self.init(name: [UInt8](name.utf8), value: value)
  }

  /// The name as text; bytes that are not UTF-8 are shown as U+FFFD.
  public var nameText: String { String(decoding: name, as: UTF8.self) }
}
