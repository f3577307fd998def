/// The words of the schemas: one `field` per type, each with the versions that have it.
extension FieldCoder where Self: ~Copyable & ~Escapable {
  /// The version being walked.
  var version: Int16 { message.version }

  func isIn(_ since: Int16, _ until: Int16) -> Bool { version >= since && version <= until }

  /// An integer.
  mutating func field(
    _ name: StaticString, _ value: inout some FixedWidthInteger & BitwiseCopyable,
    since: Int16 = .min, until: Int16 = .max
  ) throws(ProtocolError) {
    guard isIn(since, until) else { return }
    try integer(name, &value)
  }

  /// A byte that is false when zero.
  mutating func field(
    _ name: StaticString, _ value: inout Bool, since: Int16 = .min, until: Int16 = .max
  ) throws(ProtocolError) {
    guard isIn(since, until) else { return }
    var byte: Int8 = value ? 1 : 0
    try integer(name, &byte)
    value = byte != 0
  }

  /// An error's number.
  mutating func field(
    _ name: StaticString, _ value: inout ErrorCode, since: Int16 = .min, until: Int16 = .max
  ) throws(ProtocolError) {
    guard isIn(since, until) else { return }
    var number = value.rawValue
    try integer(name, &number)
    value = ErrorCode(rawValue: number) ?? .unknownServerError
  }

  /// A string that is never null.
  mutating func field(
    _ name: StaticString, _ value: inout String, since: Int16 = .min, until: Int16 = .max
  ) throws(ProtocolError) {
    guard isIn(since, until) else { return }
    var text: String? = value
    try self.text(name, &text, isNullable: false)
    value = text ?? ""
  }

  /// A string that may be null from version `nullableSince` on.
  mutating func field(
    _ name: StaticString, _ value: inout String?, since: Int16 = .min, until: Int16 = .max,
    nullableSince: Int16 = .min
  ) throws(ProtocolError) {
    guard isIn(since, until) else { return }
    try text(name, &value, isNullable: version >= nullableSince)
  }

  /// An array that is never null.
  mutating func field<Element: Coded>(
    _ name: StaticString, _ value: inout [Element], since: Int16 = .min, until: Int16 = .max
  ) throws(ProtocolError) {
    guard isIn(since, until) else { return }
    var array: [Element]? = value
    try elements(name, &array, isNullable: false)
    value = array ?? []
  }

  /// An array that may be null from version `nullableSince` on.
  mutating func field(
    _ name: StaticString, _ value: inout [some Coded]?, since: Int16 = .min, until: Int16 = .max,
    nullableSince: Int16 = .min
  ) throws(ProtocolError) {
    guard isIn(since, until) else { return }
    try elements(name, &value, isNullable: version >= nullableSince)
  }

  /// Record data, passed as a range.
  mutating func field(_ name: StaticString, _ value: inout ByteRange?) throws(ProtocolError) {
    try records(name, &value)
  }

  /// An id of 16 bytes.
  mutating func field(
    _ name: StaticString, _ value: inout KafkaUuid, since: Int16 = .min, until: Int16 = .max
  ) throws(ProtocolError) {
    guard isIn(since, until) else { return }
    try uuid(name, &value)
  }

  package mutating func label(
    _ name: StaticString, _ value: inout String?
  ) throws(ProtocolError) {
    try text(name, &value, isNullable: true)
  }

  package mutating func uuid(
    _ name: StaticString, _ value: inout KafkaUuid
  ) throws(ProtocolError) {
    try integer(name, &value.high)
    try integer(name, &value.low)
  }

  /// The tagged field `number`, which is absent when it equals `standard`.
  mutating func tag<Value: Coded & Equatable>(
    _ number: UInt32, _ name: StaticString, _ value: inout Value, unless standard: Value,
    in section: inout TagSection
  ) throws(ProtocolError) {
    try tag(number, name, &value, isPresent: value != standard, in: &section)
  }

  /// The tagged structure `number`, which is nil when it is absent.
  mutating func tag<Value: Coded>(
    _ number: UInt32, _ name: StaticString, _ value: inout Value?, in section: inout TagSection
  ) throws(ProtocolError) {
    var structure = value ?? Value()
    let known = section.known
    try tag(number, name, &structure, isPresent: value != nil, in: &section)
    if section.known != known { value = structure }
  }

  /// The end of a structure that has no tagged field of its own.
  mutating func tags(_ unknown: inout [TaggedField]) throws(ProtocolError) {
    guard isFlexible else { return }
    let section = try openTags(unknown)
    try closeTags(section, &unknown)
  }

  /// The error that `name` has `problem`.
  func malformed(
    _ name: StaticString, _ problem: MalformedField.Problem, at position: Int
  ) -> ProtocolError {
    .malformed(
      MalformedField(
        message: message, field: "\(name)", position: position, problem: problem))
  }
}
