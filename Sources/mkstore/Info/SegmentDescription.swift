import DiskIO
import LogStore

/// The output of `info` for one segment.
struct SegmentDescription: Sendable {
  var baseOffset: Int64
  var file: String
  var bytes: Int
  /// Largest record time by the time index; nil if it has none.
  var largestTimestamp: Int64?
  /// When the file last changed, milliseconds since 1970.
  var modifiedMs: Int64?

  /// Examines the files; missing ones are omitted.
  init(_ segment: SegmentInfo, _ disk: PosixDisk) throws(CommandFailure) {
    baseOffset = segment.baseOffset
    file = segment.path
    bytes = segment.bytes
    modifiedMs = try withDiskErrors { () throws(DiskError) in
      try disk.status(segment.path)?.modifiedMs
    }
    let path =
      segment.path.dropLast(SegmentName.Kind.log.rawValue.count)
      + SegmentName.Kind.timeindex.rawValue
    do throws(CheckpointError) {
      let bytes = try SmallFile.read(disk, String(path), limit: Int(Int32.max)) ?? []
      let index = IndexContent<TimeIndexEntry>(bytes.span, baseOffset: baseOffset)
      largestTimestamp = index.entries.last?.timestamp
    } catch {
      // An index that cannot be read gives no time.
      largestTimestamp = nil
    }
  }

  /// For JSON.
  var object: JSONObject {
    var object = JSONObject()
    object.add("baseOffset", baseOffset)
    object.add("file", file)
    object.add("bytes", bytes)
    object.addTime("largestTimestamp", milliseconds: largestTimestamp)
    object.addTime("modified", milliseconds: modifiedMs)
    return object
  }
}
