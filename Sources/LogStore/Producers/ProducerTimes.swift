internal import DiskIO

/// When producers were last active, as far as a log's files tell it.
///
/// A batch's own time is what its producer says, which may be days old: then the last write to the
/// segment that holds the batch says how long ago it can have been at most. One thread.
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
  ///   - offset: Of a record of the batch; negative where there is none.
  ///   - timestamp: The batch's greatest.
  func activeMs(_ offset: Int64, timestamp: Int64) -> Int64 {
    // Any number may stand there: no time before 1970 is taken for one.
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
