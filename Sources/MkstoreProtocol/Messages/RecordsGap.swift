/// A place in an encoded message where record data goes.
public struct RecordsGap: Sendable, Equatable {
  /// How many of the frame's own bytes come before the gap.
  public var position: Int

  /// What goes there, as the message's field named it.
  public var source: ByteRange
}
