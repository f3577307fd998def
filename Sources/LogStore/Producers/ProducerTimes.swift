internal import DiskIO

/// When producers were last active, as far as a log's files show it.
///
/// A batch's own time comes from its producer and may be days old. The last write to the segment
/// that holds the batch then bounds how long ago it was appended. One thread.
final class ProducerTimes {
  private let log: LogEnvironment
  private let nowMs: Int64
  private let state: LogState
  private var modifiedMs: [Int64: Int64] = [:]

  init(_ log: LogEnvironment, _ state: LogState) {
    self.log = log
    self.state = state
    nowMs = log.context.nowMs()
  }

  /// - Parameters:
  ///   - offset: Of a record of the batch; negative if there is none.
  ///   - timestamp: The batch's greatest.
  func activeMs(_ offset: Int64, timestamp: Int64) -> Int64 {
    // The number may be arbitrary: times before 1970 are not used.
    let stated = min(max(timestamp, 0), nowMs)
    guard nowMs - stated >= log.context.producerExpirationMs, offset >= 0,
      let index = state.index(of: offset)
    else { return stated }
    let segment = state.segments[index]
    if let known = modifiedMs[segment.baseOffset] { return max(stated, known) }
    var modified: Int64 = stated
    do throws(DiskError) {
      modified = try log.disk.status(segment.path(.log))?.modifiedMs ?? stated
    } catch {
      // Unknown: then the batch's own time counts, as in Kafka.
      modified = stated
    }
    modifiedMs[segment.baseOffset] = min(modified, nowMs)
    return max(stated, min(modified, nowMs))
  }
}
