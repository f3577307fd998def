package import RecordFormat

/// Why the bytes at a position of a segment are not the batch that belongs there.
package enum BatchFault: Error, Sendable, Equatable, CustomStringConvertible {
  /// The batch itself is wrong: a header field, the CRC, or a record if records are decoded.
  case format(BatchError)
  /// The file ends within the bytes that hold a batch's length and format.
  case headerTorn(bytes: Int)
  /// The batch states more bytes than the file has left, as an unfinished write does.
  case doesNotFit(byteCount: Int, available: Int)
  /// The disk cannot read the batch's bytes from a position on (EIO).
  case unreadable(position: Int)
  /// The batch starts below the end of the previous batch.
  case offsetBelowExpected(Int64, expected: Int64)
  /// The batch reaches into the next segment, or further than a segment can.
  case offsetBeyondSegment(Int64, limit: Int64)
  /// The batch leaves a gap that the next batch contradicts, so this one's offset is wrong. (The
  /// CRC does not cover the offset.)
  case offsetJump(Int64, expected: Int64)
  /// The batch leaves a gap that no later batch confirms: a large one, or any gap in a log that has
  /// none.
  case offsetGap(Int64, expected: Int64)
  /// The batch has an epoch in which nothing was written. (The CRC does not cover the epoch.)
  case leaderEpoch(Int32, expected: Int32)

  /// Whether a write that a power cut or kill interrupted can have left this at the end of a file.
  package var isIncomplete: Bool {
    switch self {
    case .headerTorn, .doesNotFit: true
    case .format, .unreadable, .offsetBelowExpected, .offsetBeyondSegment, .offsetJump,
      .offsetGap, .leaderEpoch:
      false
    }
  }

  /// Whether the only thing known about the bytes is that they cannot be read.
  package var isUnreadable: Bool {
    if case .unreadable = self { true } else { false }
  }

  /// One sentence for people, without the position. It contains nothing that an opening changes,
  /// such as the file's size, so that the same damage has the same words before and after.
  package var description: String {
    switch self {
    // A header of zeros reads as one of the oldest format.
    case .format(.header(.messageSize, _, found: 0, _)):
      "the length of the batch is 0, as where nothing was written"
    case .format(let error): "\(error)"
    case .headerTorn(let bytes): "the file ends after \(bytes) bytes of a batch header"
    case .doesNotFit(let byteCount, _):
      "a batch of \(byteCount) bytes does not fit in the rest of the file"
    case .unreadable(let position):
      "the disk cannot read position \(position): Input/output error (EIO); check the system's log "
        + "and restore the file from a copy"
    case .offsetBelowExpected(let found, let expected):
      "the batch starts at offset \(found), below the expected \(expected)"
    case .offsetBeyondSegment(let found, let limit):
      "the batch reaches offset \(found), but the segment ends before \(limit)"
    case .offsetJump(let found, let expected), .offsetGap(let found, let expected):
      "the batch states offset \(found), but by the batches around it it is \(expected)"
    case .leaderEpoch(let found, let expected):
      "the batch states leader epoch \(found), but the log was written in epoch \(expected)"
    }
  }
}
