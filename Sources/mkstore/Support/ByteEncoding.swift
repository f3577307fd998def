import ArgumentParser

/// How bytes of keys, values and headers are written in JSON text.
enum ByteEncoding: String, ExpressibleByArgument, CaseIterable, Sendable {
  /// As text. Bytes that are not UTF-8 cannot be shown so: each such part becomes U+FFFD, and a
  /// message on standard error reports it.
  case utf8
  /// RFC 4648 with padding.
  case base64
  /// Two lower-case digits per byte.
  case hex
}
