import Glibc
import LogStore

/// What it costs in steady state that only checked bytes leave: the reader that the server uses,
/// beside sendfile of the very same ranges without a look.
func verifiedRows(_ data: ReadData) -> [Row] {
  let chunkBytes = 1 << 20
  var ranges: [(position: Int, count: Int)] = []
  func readAll(_ body: (FileRecords) throws -> Void) throws {
    let reader = LogReader(try data.log().log, rechecksEvicted: true)
    var offset: Int64 = 0
    while let records = try reader.read(from: offset, maxBytes: chunkBytes, limit: .logEnd) {
      offset = records.nextOffset
      try body(records)
    }
  }
  return [
    Row(
      name: "serve: zero-copy of checked bytes, 1 MiB", unit: "B/s", goal: "ratio near 1",
      ours: {
        let pair = Loopback()
        let start = nowNs()
        try readAll { _ = try $0.send(to: pair.socket) }
        pair.finish()
        return Pass(
          seconds: Double(nowNs() - start) / 1e9, units: Double(try data.log().bytes))
      },
      ceiling: (
        "the same unchecked",
        {
          let (log, bytes, _) = try data.log()
          if ranges.isEmpty { try readAll { ranges.append(($0.position, $0.byteCount)) } }
          let descriptor = open(try log.segmentInfo()[0].path, O_RDONLY)
          defer { close(descriptor) }
          let pair = Loopback()
          let start = nowNs()
          for range in ranges {
            var position = off_t(range.position)
            let end = range.position + range.count
            while Int(position) < end {
              precondition(sendfile(pair.socket, descriptor, &position, end - Int(position)) > 0)
            }
          }
          pair.finish()
          return Pass(seconds: Double(nowNs() - start) / 1e9, units: Double(bytes))
        }
      ))
  ]
}
