import Glibc
import LogStore
import RecordFormat

/// One appender and one tailing reader, both spinning, each on its core; the median time from
/// before the append to the reader holding the record.
final class LatencyBox: @unchecked Sendable {
  private let log: Log
  private let count: Int
  private var sentNs: [Int64]
  private var seenNs: [Int64]

  init(_ log: Log, _ count: Int) {
    self.log = log
    self.count = count
    sentNs = [Int64](repeating: 0, count: count)
    seenNs = [Int64](repeating: 0, count: count)
  }

  func run() throws -> Int64 {
    var thread = pthread_t()
    let box = Unmanaged.passRetained(self)
    pthread_create(
      &thread, nil,
      { raw in
        let box = Unmanaged<LatencyBox>.fromOpaque(raw!).takeRetainedValue()
        box.follow()
        return nil
      }, box.toOpaque())
    var builder = RecordBatchBuilder()
    let value = [UInt8](repeating: 0x61, count: 92)
    for index in 0..<count {
      _ = try builder.append(timestamp: 1_700_000_000_000, key: nil, value: value.span)
      try log.appendBlocking(&builder)
      // After the append returned: it is published.
      sentNs[index] = nowNs()
      let pause = sentNs[index] + 3_000
      while nowNs() < pause {}
    }
    pthread_join(thread, nil)
    var latencies = (0..<count).map { max(0, seenNs[$0] - sentNs[$0]) }
    latencies.sort()
    return max(1, latencies[count / 2])
  }

  private func follow() {
    let reader = LogReader(log)
    var offset: Int64 = 0
    while offset < Int64(count) {
      if log.logEndOffset <= offset { continue }
      do {
        offset = try reader.forEachRecord(from: offset, limit: .logEnd) { record in
          seenNs[Int(record.offset)] = nowNs()
          return true
        }
      } catch {
        fatalError("\(error)")
      }
    }
  }
}
