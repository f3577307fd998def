import MkstoreBytes

/// Writes a message's fields into a buffer that `FieldMeasurer` has sized.
///
/// The data of records is not written: a gap remembers where it goes.
package struct FieldWriter: FieldCoder {
  package let message: MessageName
  package var isFlexible: Bool

  /// The bytes around the gaps.
  package private(set) var bytes: [UInt8]

  /// Where records go, in the order of the message.
  package private(set) var gaps: [RecordsGap] = []

  private var position = 0

  /// Takes a buffer of `byteCount` bytes, all of which the message will fill.
  package init(_ message: MessageName, byteCount: Int, isFlexible: Bool) {
    self.message = message
    self.isFlexible = isFlexible
    bytes = [UInt8](repeating: 0, count: byteCount)
  }

  package mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(
    _: StaticString, _ value: inout T
  ) throws(ProtocolError) {
    store(value)
  }

  package mutating func text(
    _: StaticString, _ value: inout String?, isNullable _: Bool
  ) throws(ProtocolError) {
    length(value?.utf8.count, wide: false)
    if let value { store(value.utf8Span.span) }
  }

  package mutating func elements<Element: Coded>(
    _: StaticString, _ value: inout [Element]?, isNullable _: Bool
  ) throws(ProtocolError) {
    length(value?.count, wide: true)
    guard let array = value else { return }
    for index in array.indices {
      var element = array[index]
      try element.code(&self)
    }
  }

  package mutating func records(
    _: StaticString, _ value: inout ByteRange?
  ) throws(ProtocolError) {
    length(value?.count, wide: true)
    if let value { gap(value) }
  }

  /// Leaves a gap here.
  mutating func gap(_ source: ByteRange) {
    if source.count > 0 { gaps.append(RecordsGap(position: position, source: source)) }
  }

  package mutating func openTags(_ unknown: [TaggedField]) throws(ProtocolError) -> TagSection {
    guard isFlexible else { return TagSection() }
    var section = TagSection()
    section.unknown = unknown
    section.start = position
    store(UInt8(0))
    return section
  }

  package mutating func tag<Value: Coded>(
    _ number: UInt32, _: StaticString, _ value: inout Value, isPresent: Bool,
    in section: inout TagSection
  ) throws(ProtocolError) {
    guard isFlexible, isPresent else { return }
    storeUnknown(of: &section, below: number)
    section.count += 1
    varint(number)
    varint(UInt32(try FieldMeasurer.byteCount(of: value, message, isFlexible: true)))
    try value.code(&self)
  }

  package mutating func closeTags(
    _ section: consuming TagSection, _: inout [TaggedField]
  ) throws(ProtocolError) {
    guard isFlexible else { return }
    storeUnknown(of: &section, below: nil)
    // One byte: the measurer has refused more than `ProtocolLimits.tagsMax`.
    bytes[section.start] = UInt8(section.count)
  }

  /// Writes the unknown fields that come before the known field `number`.
  private mutating func storeUnknown(of section: inout TagSection, below number: UInt32?) {
    while section.unknownNext < section.unknown.count {
      let field = section.unknown[section.unknownNext]
      if let number, field.tag >= number { return }
      varint(field.tag)
      varint(UInt32(field.bytes.count))
      store(field.bytes.span)
      section.unknownNext += 1
      section.count += 1
    }
  }

  private mutating func length(_ count: Int?, wide: Bool) {
    let length = count ?? -1
    if isFlexible {
      varint(UInt32(length + 1))
    } else if wide {
      store(Int32(length))
    } else {
      store(Int16(length))
    }
  }

  private mutating func varint(_ value: UInt32) {
    var rest = value
    while rest >= 0x80 {
      store(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    store(UInt8(rest))
  }

  private mutating func store(_ value: some FixedWidthInteger & BitwiseCopyable) {
    let start = position
    position += MemoryLayout.size(ofValue: value)
    var span = bytes.mutableSpan
    span.storeBigEndian(value, at: start)
  }

  private mutating func store(_ source: Span<UInt8>) {
    let start = position
    position += source.count
    var span = bytes.mutableSpan
    span.copy(source, at: start)
  }
}
