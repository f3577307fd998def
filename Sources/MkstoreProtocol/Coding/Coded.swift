/// A value with a place on the wire, whose fields a coder can walk.
///
/// One description per structure serves reading, measuring and writing: `code` lists the fields in
/// Kafka's order and passes each one, as `inout`, to a coder. Where versions differ the description
/// says `since:` and `until:`; only the coder knows what "flexible" changes.
package protocol Walked: Sendable {
  /// Passes every field to `coder`, in the order of the wire.
  mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError)
}

/// A value that can also be read, starting from its defaults.
package protocol Coded: Walked {
  /// Every field at its default.
  ///
  /// Defaults must be the shortest form of every field, empty or null: array counts are checked
  /// against the size of a default element.
  init()
}

extension Int16: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.integer("", &self)
  }
}

extension Int32: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.integer("", &self)
  }
}

extension Int64: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.integer("", &self)
  }
}

extension Bool: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("", &self)
  }
}

extension String: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("", &self)
  }
}

extension ErrorCode: Coded {
  /// No error.
  package init() { self = .none }

  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("", &self)
  }
}

extension Optional: Walked, Coded where Wrapped == String {
  /// Null.
  package init() { self = nil }

  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("", &self)
  }
}

extension Array: Walked, Coded where Element: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("", &self)
  }
}
