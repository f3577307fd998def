internal import DiskIO
internal import RecordFormat

/// Checks of the invariants I1–I9 (docs/architecture.md) that are too expensive for every build.
///
/// Included in debug builds, or with `MKSTORE_INVARIANTS=1` (CONTRIBUTING.md#invariants). Cheap
/// preconditions are in the code they concern, and are always on.
enum InvariantChecks {
  /// Whether they are included.
  @inline(__always)
  static var areOn: Bool {
    #if CHECKED_INVARIANTS
      true
    #else
      false
    #endif
  }
}

extension ActiveSegment {
  /// I5: the disk has exactly the bytes of a batch that was just written.
  func checkWritten(_ header: BatchHeader, at position: Int) {
    guard let file = log as? any InspectableFile else { return }
    let found = file.inspect(position..<position + header.byteCount)
    do throws(BatchError) {
      let written = try Self.headerOfValid(found)
      precondition(
        written == header, "I5: \(log.path) has the batch \(written) at \(position), not \(header)")
    } catch {
      preconditionFailure("I5: \(log.path) has no batch at \(position): \(error)")
    }
  }

  private static func headerOfValid(_ bytes: [UInt8]) throws(BatchError) -> BatchHeader {
    let batch = try RecordBatch(bytes.span)
    try batch.checkCRC()
    return batch.header
  }

  /// I7: a power cut would leave the bytes that were written to the segment from `start` on, and
  /// its name.
  func checkDurable(from start: Int) {
    guard !segment.isRetired, let file = log as? any InspectableFile else { return }
    precondition(
      file.isDurable(min(start, position)..<position),
      "I7: bytes \(start)..<\(position) of \(log.path) are not synced")
    let name = file.nameDurability
    // A later sync cannot know what a failed sync of an earlier session lost.
    precondition(
      name == .durable || name == .lost && isResumed,
      "I7: the name of \(log.path) is \(name) at position \(position)")
  }
}
