import MkstoreProtocol

// Spans cannot be captured by the test macros, so tests go through arrays.

extension RequestHeader {
  static func decode(_ frame: [UInt8]) throws(ProtocolError) -> RequestHeader {
    try decode(frame.span)
  }
}

extension Request {
  static func decode(
    _ frame: [UInt8], limits: ProtocolLimits = .standard
  ) throws(ProtocolError) -> Request {
    try decode(frame.span, limits: limits)
  }
}

extension Response {
  static func decode(
    _ frame: [UInt8], api: ApiKey, version: Int16, limits: ProtocolLimits = .standard
  ) throws(ProtocolError) -> Response {
    try decode(frame.span, api: api, version: version, limits: limits)
  }

  static func correlationId(of frame: [UInt8]) throws(ProtocolError) -> Int32 {
    try correlationId(of: frame.span)
  }
}

extension FrameSize {
  static func read(
    _ bytes: [UInt8], limits: ProtocolLimits = .standard
  ) throws(ProtocolError) -> Int? {
    try read(bytes.span, limits: limits)
  }
}

extension EncodedFrame {
  /// The frame without its size, gaps filled from `source`.
  func body(from source: [UInt8] = []) -> [UInt8] {
    Array(filled(from: source.span).dropFirst(FrameSize.byteCount))
  }
}
