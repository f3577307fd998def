internal import LogStore
internal import MkstoreProtocol

/// An answer that is ready to go out: the encoded frame, and the records that fill its gaps.
struct Answer {
  /// The frame; the offset of a gap's source is an index in `records`.
  var frame: EncodedFrame
  /// Where the records are.
  var records: [FileRecords] = []
}
