internal import RecordFormat

/// What a `SegmentScanner` found at its position.
package enum ScanEvent: Sendable {
  /// A valid batch whose first byte is at `position`.
  case batch(BatchHeader, position: Int)
  /// No valid batch starts at `position`; the scanner stays there until `resume` is called.
  case invalid(BatchFault, position: Int)
  /// Every byte up to `position` belongs to a valid batch, and the file ends there.
  case end(position: Int)
}
