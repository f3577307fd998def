/// Counts the bytes that writing a message would take.
///
/// It also refuses values that cannot be written, so that `FieldWriter` only meets values that fit.
/// A message is measured first and then written into a buffer of that size.
package struct FieldMeasurer: FieldCoder {
  package let message: MessageName
  package var isFlexible: Bool

  /// The bytes counted so far, without the data of records.
  package private(set) var byteCount = 0

  /// The bytes of records that go into the gaps.
  package private(set) var recordsByteCount = 0

  /// Starts at zero.
  package init(_ message: MessageName, isFlexible: Bool) {
    self.message = message
    self.isFlexible = isFlexible
  }

  /// The size of `value` alone.
  package static func byteCount(
    of value: some Coded, _ message: MessageName, isFlexible: Bool
  ) throws(ProtocolError) -> Int {
    var measurer = FieldMeasurer(message, isFlexible: isFlexible)
    var value = value
    try value.code(&measurer)
    return measurer.byteCount
  }

  package mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(
    _: StaticString, _: inout T
  ) throws(ProtocolError) {
    byteCount += MemoryLayout<T>.size
  }

  package mutating func text(
    _ name: StaticString, _ value: inout String?, isNullable: Bool
  ) throws(ProtocolError) {
    let count = value?.utf8.count
    if let count, count > ProtocolLimits.stringBytesMax {
      throw malformed(
        name, .stringTooLong(byteCount: count, limit: ProtocolLimits.stringBytesMax), at: byteCount)
    }
    try length(name, count, wide: false, isNullable: isNullable)
    byteCount += count ?? 0
  }

  package mutating func elements<Element: Coded>(
    _ name: StaticString, _ value: inout [Element]?, isNullable: Bool
  ) throws(ProtocolError) {
    try length(name, value?.count, wide: true, isNullable: isNullable)
    guard let array = value else { return }
    for index in array.indices {
      var element = array[index]
      do { try element.code(&self) } catch { throw error.inside(name, index) }
    }
  }

  package mutating func records(
    _ name: StaticString, _ value: inout ByteRange?
  ) throws(ProtocolError) {
    if let count = value?.count, count >= Int32.max {
      throw .frameTooLarge(message, byteCount: count, limit: Int(Int32.max))
    }
    try length(name, value?.count, wide: true, isNullable: true)
    recordsByteCount += value?.count ?? 0
  }

  package mutating func openTags(_ unknown: [TaggedField]) throws(ProtocolError) -> TagSection {
    guard isFlexible else { return TagSection() }
    var section = TagSection()
    section.count = unknown.count
    byteCount += 1
    for field in unknown { add(field.tag, byteCount: field.bytes.count) }
    return section
  }

  package mutating func tag<Value: Coded>(
    _ number: UInt32, _ name: StaticString, _ value: inout Value, isPresent: Bool,
    in section: inout TagSection
  ) throws(ProtocolError) {
    guard isFlexible, isPresent else { return }
    section.count += 1
    let size: Int
    do {
      size = try Self.byteCount(of: value, message, isFlexible: true)
    } catch {
      throw error.inside(name)
    }
    add(number, byteCount: size)
  }

  package mutating func closeTags(
    _ section: consuming TagSection, _: inout [TaggedField]
  ) throws(ProtocolError) {
    guard section.count <= ProtocolLimits.tagsMax else {
      throw malformed(
        "tags", .tooManyTags(count: section.count, limit: ProtocolLimits.tagsMax), at: byteCount)
    }
  }

  private mutating func add(_ tag: UInt32, byteCount size: Int) {
    byteCount += Self.varintByteCount(tag) + Self.varintByteCount(UInt32(size)) + size
  }

  private mutating func length(
    _ name: StaticString, _ count: Int?, wide: Bool, isNullable: Bool
  ) throws(ProtocolError) {
    guard isNullable || count != nil else { throw malformed(name, .unexpectedNull, at: byteCount) }
    if isFlexible {
      byteCount += Self.varintByteCount(UInt32((count ?? -1) + 1))
    } else {
      byteCount += wide ? 4 : 2
    }
  }

  /// How many groups of seven bits `value` needs.
  package static func varintByteCount(_ value: UInt32) -> Int {
    (max(32 - value.leadingZeroBitCount, 1) + 6) / 7
  }
}
