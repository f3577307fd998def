/// Everything around a body that is needed to make a frame of it.
struct FrameEnvelope<Header: Walked> {
  /// The message, for errors and for its version.
  let message: MessageName

  /// The header before the body.
  let header: Header

  /// Whether the body, whatever the header, is of a flexible version.
  let isFlexible: Bool

  /// Bytes after the body; a gap.
  let trailing: ByteRange?

  /// Measures the message, then writes it into a buffer of exactly that size.
  func encode(_ body: some Walked) throws(ProtocolError) -> EncodedFrame {
    var header = header
    var body = body
    var measurer = FieldMeasurer(message, isFlexible: isFlexible)
    try header.code(&measurer)
    measurer.isFlexible = isFlexible
    try body.code(&measurer)

    let byteCount = measurer.byteCount + measurer.recordsByteCount + (trailing?.count ?? 0)
    guard var size = Int32(exactly: byteCount) else {
      throw .frameTooLarge(message, byteCount: byteCount, limit: Int(Int32.max))
    }
    var writer = FieldWriter(
      message, byteCount: FrameSize.byteCount + measurer.byteCount, isFlexible: isFlexible)
    try writer.integer("size", &size)
    try header.code(&writer)
    writer.isFlexible = isFlexible
    try body.code(&writer)
    if let trailing { writer.gap(trailing) }
    return EncodedFrame(bytes: writer.bytes, gaps: writer.gaps)
  }
}
