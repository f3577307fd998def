import Foundation
import MkstoreProtocol

/// A coder that turns a message into a JSON tree by the field names of its schema.
struct TreeCoder: FieldCoder {
  let message: MessageName
  var isFlexible: Bool

  /// The frame that record ranges point into.
  let frame: [UInt8]

  /// The fields met so far; those of an array of plain values are under the empty name.
  var fields: [String: JSONValue] = [:]

  private mutating func set(_ name: StaticString, _ value: JSONValue) {
    precondition(fields["\(name)"] == nil, "\(name) twice in \(message)")
    fields["\(name)"] = value
  }

  private func tree(of value: some Walked) throws(ProtocolError) -> JSONValue {
    var coder = TreeCoder(message: message, isFlexible: isFlexible, frame: frame)
    var value = value
    try value.code(&coder)
    return coder.fields[""] ?? .object(coder.fields)
  }

  mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(
    _ name: StaticString, _ value: inout T
  ) throws(ProtocolError) {
    set(name, .number(Int64(value)))
  }

  mutating func uuid(_ name: StaticString, _ value: inout KafkaUuid) throws(ProtocolError) {
    let text = [value.high, value.low].map {
      let digits = String($0, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
    let parts = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { range in
      String(Array(text)[range])
    }
    set(name, .string(parts.joined(separator: "-")))
  }

  mutating func text(
    _ name: StaticString, _ value: inout String?, isNullable _: Bool
  ) throws(ProtocolError) {
    set(name, value.map { .string($0) } ?? .null)
  }

  mutating func elements<Element: Coded>(
    _ name: StaticString, _ value: inout [Element]?, isNullable _: Bool
  ) throws(ProtocolError) {
    guard let array = value else { return set(name, .null) }
    var trees: [JSONValue] = []
    for element in array { trees.append(try tree(of: element)) }
    set(name, .array(trees))
  }

  mutating func records(
    _ name: StaticString, _ value: inout ByteRange?
  ) throws(ProtocolError) {
    guard let value else { return set(name, .null) }
    set(name, .object(["base64": .string(Data(frame[value.range]).base64EncodedString())]))
  }

  mutating func openTags(_: [TaggedField]) throws(ProtocolError) -> TagSection { TagSection() }

  mutating func tag<Value: Coded>(
    _: UInt32, _ name: StaticString, _ value: inout Value, isPresent: Bool,
    in _: inout TagSection
  ) throws(ProtocolError) {
    guard isPresent else { return }
    set(name, try tree(of: value))
  }

  mutating func closeTags(
    _: consuming TagSection, _ unknown: inout [TaggedField]
  ) throws(ProtocolError) {
    if !unknown.isEmpty { set("unknown tags", .number(Int64(unknown.count))) }
  }
}

extension TreeCoder {
  /// What `body`, decoded from `frame`, holds.
  static func tree(
    _ body: some Walked, _ message: MessageName, _ frame: [UInt8]
  ) throws(ProtocolError) -> JSONValue {
    try TreeCoder(message: message, isFlexible: true, frame: frame).tree(of: body)
  }
}

extension JSONValue {
  /// Where this tree differs from `expected`, by path; booleans equal 0 and 1.
  func differences(from expected: JSONValue, at path: String = "") -> [String] {
    switch (self, expected) {
    case (.object(let found), .object(let wanted)):
      return Set(found.keys).union(wanted.keys).sorted().flatMap { name -> [String] in
        guard let left = found[name], let right = wanted[name] else {
          return ["\(path).\(name): \(found[name] == nil ? "missing" : "not expected")"]
        }
        return left.differences(from: right, at: "\(path).\(name)")
      }
    case (.array(let found), .array(let wanted)) where found.count == wanted.count:
      return zip(found, wanted).enumerated().flatMap {
        $1.0.differences(from: $1.1, at: "\(path)[\($0)]")
      }
    case (.number(let found), .bool(let wanted)) where found == (wanted ? 1 : 0): return []
    default: return self == expected ? [] : ["\(path): \(self) is not \(expected)"]
    }
  }
}
