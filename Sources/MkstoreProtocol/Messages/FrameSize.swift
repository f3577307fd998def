import MkstoreBytes

/// The 4 bytes in front of every frame.
public enum FrameSize {
  /// How many bytes they are.
  public static let byteCount = 4

  /// The size of the frame that `bytes` starts with, or nil if fewer than 4 bytes are there yet.
  ///
  /// - Returns: The bytes of the frame after these four: 1 or more, up to the limit.
  /// - Throws: `frameSize`, with a guess if the peer speaks something else. Close the connection.
  public static func read(
    _ bytes: Span<UInt8>, limits: ProtocolLimits = .standard
  ) throws(ProtocolError) -> Int? {
    guard bytes.count >= byteCount else { return nil }
    let size = bytes.loadBigEndian(Int32.self, at: 0)
    guard size > 0, size <= limits.frameBytesMax else {
      throw .frameSize(size, limit: limits.frameBytesMax, guess: guess(size))
    }
    return Int(size)
  }

  /// The protocol whose first four bytes read as `size`, if it is one that is often used by
  /// mistake.
  private static func guess(_ size: Int32) -> String? {
    let bytes = (0..<4).map { UInt8(truncatingIfNeeded: size >> (24 - 8 * $0)) }
    if bytes[0] == 0x16, bytes[1] == 3 { return "TLS" }
    let text = String(decoding: bytes, as: UTF8.self)
    let methods = ["GET ", "HEAD", "POST", "PUT ", "DELE", "OPTI", "PATC", "CONN", "PRI "]
    return methods.contains(text) ? "HTTP" : nil
  }
}
