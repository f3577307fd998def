import MkstoreBytes

/// Reads a message's fields from the bytes of a frame.
///
/// No number is trusted: before anything is allocated, every length is checked against the
/// remaining bytes, and every count also against the minimum size of its elements and the limits.
package struct FieldReader: FieldCoder, ~Copyable, ~Escapable {
  package let message: MessageName
  package var isFlexible: Bool

  /// Where the next field starts in the frame.
  package private(set) var position = 0

  private let bytes: Span<UInt8>
  private let limits: ProtocolLimits

  /// How many array elements and unknown tags the message may still have.
  private var elementsLeft: Int

  /// Starts at the beginning of `bytes`, a frame without its size.
  @_lifetime(copy bytes)
  package init(
    _ bytes: Span<UInt8>, message: MessageName, isFlexible: Bool, limits: ProtocolLimits
  ) {
    self.bytes = bytes
    self.message = message
    self.isFlexible = isFlexible
    self.limits = limits
    elementsLeft = limits.elementsMax
  }

  /// The bytes from `position` to the end of the frame.
  var left: Int { bytes.count - position }

  package mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(
    _ name: StaticString, _ value: inout T
  ) throws(ProtocolError) {
    let size = MemoryLayout<T>.size
    try require(size, name)
    value = bytes.loadBigEndian(T.self, at: position)
    position += size
  }

  package mutating func text(
    _ name: StaticString, _ value: inout String?, isNullable: Bool
  ) throws(ProtocolError) {
    guard let count = try textLength(name, isNullable: isNullable) else {
      value = nil
      return
    }
    guard let text = Self.string(bytes.extracting(position..<(position + count))) else {
      throw malformed(name, .invalidUtf8, at: position)
    }
    value = text
    position += count
  }

  /// As in Kafka, bytes that are not UTF-8 are replaced.
  package mutating func label(
    _ name: StaticString, _ value: inout String?
  ) throws(ProtocolError) {
    guard let count = try textLength(name, isNullable: true) else {
      value = nil
      return
    }
    let span = bytes.extracting(position..<(position + count))
    value = Self.string(span) ?? Self.replaced(span)
    position += count
  }

  private mutating func textLength(
    _ name: StaticString, isNullable: Bool
  ) throws(ProtocolError) -> Int? {
    guard let count = try length(name, wide: false) else {
      guard isNullable else { throw malformed(name, .unexpectedNull, at: position) }
      return nil
    }
    guard count <= ProtocolLimits.stringBytesMax else {
      throw malformed(
        name, .stringTooLong(byteCount: count, limit: ProtocolLimits.stringBytesMax), at: position)
    }
    try require(count, name)
    return count
  }

  package mutating func elements<Element: Coded>(
    _ name: StaticString, _ value: inout [Element]?, isNullable: Bool
  ) throws(ProtocolError) {
    guard let count = try length(name, wide: true) else {
      guard isNullable else { throw malformed(name, .unexpectedNull, at: position) }
      value = nil
      return
    }
    try admit(count, of: Element.self, name)
    var array: [Element] = []
    array.reserveCapacity(count)
    for index in 0..<count {
      var element = Element()
      do { try element.code(&self) } catch { throw error.inside(name, index) }
      array.append(element)
    }
    value = array
  }

  package mutating func records(
    _ name: StaticString, _ value: inout ByteRange?
  ) throws(ProtocolError) {
    guard let count = try length(name, wide: true) else {
      value = nil
      return
    }
    try require(count, name)
    value = ByteRange(offset: position, count: count)
    position += count
  }

  /// Refuses bytes after the end of a response; a request may have any.
  func requireEnd() throws(ProtocolError) {
    if left != 0 { throw malformed("end", .trailingBytes(left), at: position) }
  }
}

extension FieldReader {
  package mutating func openTags(_: [TaggedField]) throws(ProtocolError) -> TagSection {
    var section = TagSection()
    guard isFlexible else { return section }
    section.count = Int(try varint("tags"))
    guard section.count <= ProtocolLimits.tagsMax else {
      throw malformed(
        "tags", .tooManyTags(count: section.count, limit: ProtocolLimits.tagsMax), at: position)
    }
    section.start = position
    var last: UInt32?
    for _ in 0..<section.count {
      let (number, size) = try tagHead()
      if let last, number <= last {
        throw malformed("tags", .tagsOutOfOrder(number, after: last), at: position)
      }
      last = number
      position += size
    }
    section.end = position
    return section
  }

  package mutating func tag<Value: Coded>(
    _ number: UInt32, _ name: StaticString, _ value: inout Value, isPresent _: Bool,
    in section: inout TagSection
  ) throws(ProtocolError) {
    guard isFlexible else { return }
    position = section.start
    defer { position = section.end }
    for _ in 0..<section.count {
      let (found, size) = try tagHead()
      guard found == number else {
        position += size
        continue
      }
      section.known |= 1 << UInt64(number)
      let start = position
      do { try value.code(&self) } catch { throw error.inside(name) }
      guard position - start == size else {
        throw malformed(
          name, .taggedFieldSize(number, expected: size, found: position - start), at: start)
      }
      return
    }
  }

  package mutating func closeTags(
    _ section: consuming TagSection, _ unknown: inout [TaggedField]
  ) throws(ProtocolError) {
    guard isFlexible, section.count > section.known.nonzeroBitCount else { return }
    position = section.start
    for _ in 0..<section.count {
      let (number, size) = try tagHead()
      if number >= 64 || section.known & (1 << UInt64(number)) == 0 {
        try spend(1, "tags")
        let field = bytes.extracting(position..<(position + size))
        unknown.append(TaggedField(tag: number, bytes: field.indices.map { field[$0] }))
      }
      position += size
    }
  }

  /// A tagged field's number and size; leaves `position` at its first byte.
  private mutating func tagHead() throws(ProtocolError) -> (number: UInt32, size: Int) {
    let number = try varint("tags")
    let size = Int(try varint("tags"))
    try require(size, "tags")
    return (number, size)
  }
}

extension FieldReader {
  /// A length or count in the form of this version, or nil for null.
  private mutating func length(_ name: StaticString, wide: Bool) throws(ProtocolError) -> Int? {
    if isFlexible {
      let stored = try varint(name)
      return stored == 0 ? nil : Int(stored) - 1
    }
    let length: Int
    if wide {
      var stored: Int32 = 0
      try integer(name, &stored)
      length = Int(stored)
    } else {
      var stored: Int16 = 0
      try integer(name, &stored)
      length = Int(stored)
    }
    guard length >= -1 else { throw malformed(name, .negativeLength(length), at: position) }
    return length == -1 ? nil : length
  }

  /// An unsigned varint of at most five bytes and 32 bits.
  private mutating func varint(_ name: StaticString) throws(ProtocolError) -> UInt32 {
    var value: UInt64 = 0
    for index in 0..<5 {
      try require(1, name)
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7f) << UInt64(7 * index)
      guard byte >= 0x80 else {
        guard let value = UInt32(exactly: value) else { break }
        return value
      }
    }
    throw malformed(name, .varintTooLong, at: position)
  }

  private func require(_ count: Int, _ name: StaticString) throws(ProtocolError) {
    guard count <= left else {
      throw malformed(name, .truncated(needed: count, left: left), at: position)
    }
  }

  /// Refuses more elements than the remaining bytes, or the limits, can hold.
  private mutating func admit<Element: Coded>(
    _ count: Int, of _: Element.Type, _ name: StaticString
  ) throws(ProtocolError) {
    guard count > 0 else { return }
    let shortest = try FieldMeasurer.byteCount(of: Element(), message, isFlexible: isFlexible)
    guard count <= left / max(shortest, 1) else {
      throw malformed(name, .countBeyondMessage(count: count, left: left), at: position)
    }
    try spend(count, name)
  }

  private mutating func spend(_ count: Int, _ name: StaticString) throws(ProtocolError) {
    guard count <= elementsLeft else {
      let used = limits.elementsMax - elementsLeft
      throw malformed(
        name, .tooManyElements(count: used + count, limit: limits.elementsMax), at: position)
    }
    elementsLeft -= count
  }

  /// The text of `span`, which is not UTF-8, with a question mark for each non-ASCII byte, so that
  /// its length stays the same.
  private static func replaced(_ span: Span<UInt8>) -> String {
    String(decoding: span.indices.map { span[$0] < 0x80 ? span[$0] : 0x3f }, as: UTF8.self)
  }

  /// The text of `span`, or nil if it is not UTF-8.
  private static func string(_ span: Span<UInt8>) -> String? {
    do { return String(copying: try UTF8Span(validating: span)) } catch { return nil }
  }
}
