import ArgumentParser

/// How bytes of keys, values and headers stand in JSON text.
enum ByteEncoding: String, ExpressibleByArgument, CaseIterable, Sendable {
  /// As text. Bytes that are no UTF-8 cannot be shown so: each such part becomes U+FFFD and a
  /// message on standard error says it.
  case utf8
  /// RFC 4648 with padding.
  case base64
  /// Two lower-case digits a byte.
  case hex
}
