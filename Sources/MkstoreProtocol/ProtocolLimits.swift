/// How much memory a peer may make this package allocate.
///
/// A length is checked against the rest of the frame and against these before anything is allocated
/// for it, so the memory for one message is bounded by its bytes and `elementsMax`.
public struct ProtocolLimits: Sendable, Equatable {
  /// The largest frame, without its 4-byte size; Kafka's `socket.request.max.bytes`.
  public var frameBytesMax: Int

  /// The most array elements and unknown tagged fields in one message, nested ones included.
  public var elementsMax: Int

  /// The longest string in bytes: what Kafka's own codec writes and accepts, in either form.
  public static let stringBytesMax = Int(Int16.max)

  /// The most tagged fields in one section; the count is then always a single byte.
  public static let tagsMax = 127

  /// Limits of a server with Kafka's defaults: frames of 100 MiB, 200,000 elements.
  public static let standard = ProtocolLimits()

  /// Takes each limit, or its default.
  public init(frameBytesMax: Int = 104_857_600, elementsMax: Int = 200_000) {
    self.frameBytesMax = frameBytesMax
    self.elementsMax = elementsMax
  }
}
