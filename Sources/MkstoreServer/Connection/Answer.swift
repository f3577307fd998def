internal import LogStore
internal import MkstoreProtocol

/// An answer that is ready to be sent: the encoded frame, and the records that fill its gaps.
struct Answer {
  /// The frame; the offset of a gap's source is an index in `records`.
  var frame: EncodedFrame
  /// The records.
  var records: [FileRecords] = []
}
