/// A walker over the fields of a message: reads them, measures them, or writes them.
///
/// These are the primitives; the overloads of `field` that the schemas use are built on them.
/// Readers replace the value, writers and measurers do not change it.
package protocol FieldCoder: ~Copyable, ~Escapable {
  /// The message being walked.
  var message: MessageName { get }

  /// Whether lengths are compact and structures end with tagged fields.
  var isFlexible: Bool { get set }

  /// A big-endian integer of its type's size.
  mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(
    _ name: StaticString, _ value: inout T
  ) throws(ProtocolError)

  /// An id of 16 bytes; by default two integers.
  mutating func uuid(_ name: StaticString, _ value: inout KafkaUuid) throws(ProtocolError)

  /// A string with its length.
  mutating func text(
    _ name: StaticString, _ value: inout String?, isNullable: Bool
  ) throws(ProtocolError)

  /// A string that is only for people, and may be null: readers accept any bytes.
  mutating func label(_ name: StaticString, _ value: inout String?) throws(ProtocolError)

  /// An array with its count.
  mutating func elements<Element: Coded>(
    _ name: StaticString, _ value: inout [Element]?, isNullable: Bool
  ) throws(ProtocolError)

  /// Record data with its length; the data itself is skipped.
  mutating func records(_ name: StaticString, _ value: inout ByteRange?) throws(ProtocolError)

  /// Starts the tagged fields at the end of a structure.
  mutating func openTags(_ unknown: [TaggedField]) throws(ProtocolError) -> TagSection

  /// The tagged field `number`; `isPresent` is for writers, readers find out.
  mutating func tag<Value: Coded>(
    _ number: UInt32, _ name: StaticString, _ value: inout Value, isPresent: Bool,
    in section: inout TagSection
  ) throws(ProtocolError)

  /// Ends the tagged fields; `unknown` are those that no `tag` has named.
  mutating func closeTags(
    _ section: consuming TagSection, _ unknown: inout [TaggedField]
  ) throws(ProtocolError)
}

/// The constraints of a generic coder parameter: readers hold a span and cannot escape.
package typealias Coder = FieldCoder & ~Copyable & ~Escapable

/// One structure's tagged fields while a coder is among them.
package struct TagSection {
  /// Fields that the schema does not know, still to be written from `unknownNext` on.
  var unknown: [TaggedField] = []
  var unknownNext = 0

  /// Reader: where the first field starts. Writer: the position of the count.
  var start = 0

  /// Reader: where the section ends.
  var end = 0

  /// How many fields the section has, or has so far.
  var count = 0

  /// The known numbers read so far, one bit each.
  var known: UInt64 = 0

  package init() {}
}
