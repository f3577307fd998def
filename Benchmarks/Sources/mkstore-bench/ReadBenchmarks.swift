import DiskIO
import Glibc
import LogStore
import MkstoreBytes
import RecordFormat

/// The read path beside bare pread, sendfile and CRC of the same bytes.
func readRows(_ scale: Scale) throws -> [Row] {
  let data = ReadData(scale)
  return [
    fetchRow(data, scale), sendRow(data, scale), lookUpRow(data, scale), scanRow(data, scale),
    checksumRow(data, scale), latencyRow(scale), try decodeRow(scale),
  ]
}

/// A log that is read by all rows: batches of 100 x 100 B, checked once.
final class ReadData {
  private let scale: Scale
  private var made: (fixture: Fixture, bytes: Int, records: Int64)?

  init(_ scale: Scale) { self.scale = scale }

  func log() throws -> (log: Log, bytes: Int, records: Int64) {
    if let made { return (made.fixture.log, made.bytes, made.records) }
    let fixture = try Fixture("read")
    var bytes = try batch(records: 100, valueBytes: 92)
    let batches = scale.count(40_000)
    for _ in 0..<batches { try fixture.log.appendBlocking(batch: &bytes) }
    made = (fixture, batches * bytes.count, Int64(batches) * 100)
    return (fixture.log, batches * bytes.count, Int64(batches) * 100)
  }

  deinit { try? made?.fixture.remove() }
}

private let chunkBytes = 1 << 20

private func fetchRow(_ data: ReadData, _ scale: Scale) -> Row {
  Row(
    name: "fetch 1 MiB at a time into memory", unit: "B/s", goal: "near pread",
    ours: {
      let (log, bytes, _) = try data.log()
      let reader = LogReader(log)
      var buffer = [UInt8](repeating: 0, count: chunkBytes)
      let before = allocations()
      let start = nowNs()
      var offset: Int64 = 0
      var reads = 0.0
      while let records = try reader.read(
        from: offset, maxBytes: chunkBytes, limit: .logEnd, into: &buffer)
      {
        offset = records.nextOffset
        reads += 1
        consume(UInt64(buffer[records.byteCount - 1]))
      }
      return Pass(
        seconds: Double(nowNs() - start) / 1e9, units: Double(bytes),
        allocations: allocations() - before, operations: reads)
    },
    ceiling: (
      "bare pread",
      {
        let (log, bytes, _) = try data.log()
        let descriptor = open(try log.segmentInfo()[0].path, O_RDONLY)
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: chunkBytes)
        let start = nowNs()
        var position = 0
        while position < bytes {
          let count = buffer.withUnsafeMutableBytes {
            pread(descriptor, $0.baseAddress, chunkBytes, off_t(position))
          }
          position += count
          consume(UInt64(buffer[count - 1]))
        }
        return Pass(seconds: Double(nowNs() - start) / 1e9, units: Double(bytes))
      }
    ))
}

private func sendRow(_ data: ReadData, _ scale: Scale) -> Row {
  Row(
    name: "fetch 1 MiB at a time to a loopback socket", unit: "B/s", goal: "near sendfile",
    ours: {
      let (log, bytes, _) = try data.log()
      let pair = Loopback()
      let reader = LogReader(log)
      let before = allocations()
      let start = nowNs()
      var offset: Int64 = 0
      var reads = 0.0
      while let records = try reader.read(from: offset, maxBytes: chunkBytes, limit: .logEnd) {
        offset = records.nextOffset
        _ = try records.send(to: pair.socket)
        reads += 1
      }
      pair.finish()
      return Pass(
        seconds: Double(nowNs() - start) / 1e9, units: Double(bytes),
        allocations: allocations() - before, operations: reads)
    },
    ceiling: (
      "bare sendfile",
      {
        let (log, bytes, _) = try data.log()
        let descriptor = open(try log.segmentInfo()[0].path, O_RDONLY)
        defer { close(descriptor) }
        let pair = Loopback()
        let start = nowNs()
        var position = off_t(0)
        while Int(position) < bytes {
          let wanted = min(chunkBytes, bytes - Int(position))
          precondition(sendfile(pair.socket, descriptor, &position, wanted) > 0)
        }
        pair.finish()
        return Pass(seconds: Double(nowNs() - start) / 1e9, units: Double(bytes))
      }
    ))
}

/// A connected loopback socket with a thread that reads and discards.
final class Loopback {
  private let client: ClientSocket
  private let reader: pthread_t

  init() {
    let listener = LoopbackListener()
    client = ClientSocket(listener.port)
    let peer = listener.accept()
    close(listener.descriptor)
    var thread = pthread_t()
    let argument = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
    argument.pointee = peer
    pthread_create(
      &thread, nil,
      { raw in
        let argument = raw!.assumingMemoryBound(to: Int32.self)
        let peer = argument.pointee
        argument.deallocate()
        // MSG_TRUNC: the kernel drops the bytes without copying them.
        var byte = [UInt8](repeating: 0, count: 1 << 20)
        while recv(peer, &byte, 1 << 20, Int32(0x20)) > 0 {}
        close(peer)
        return nil
      }, argument)
    reader = thread
  }

  var socket: Int32 { client.descriptor }

  /// Waits until all that was sent is read.
  func finish() {
    shutdown(socket, Int32(SHUT_WR))
    pthread_join(reader, nil)
  }
}

private func lookUpRow(_ data: ReadData, _ scale: Scale) -> Row {
  let count = scale.count(400_000)
  return Row(
    name: "look-up of a random offset, hot", unit: "look-ups/s", goal: "<= 1.5 us to the record",
    ours: {
      let (log, _, records) = try data.log()
      let reader = LogReader(log)
      var generator = SystemRandomNumberGenerator()
      let offsets = (0..<1024).map { _ in Int64.random(in: 0..<records, using: &generator) }
      for offset in offsets { _ = try reader.record(at: offset) }
      let before = allocations()
      let start = nowNs()
      for index in 0..<count {
        let found = try reader.record(at: offsets[index & 1023]) { UInt64(bitPattern: $0.offset) }
        consume(found!)
      }
      return Pass(
        seconds: Double(nowNs() - start) / 1e9, units: Double(count),
        allocations: allocations() - before, operations: Double(count))
    },
    ceiling: nil)
}

/// What any scan must do at least: read the same bytes and run over them with the CRC.
private func bareScan(_ data: ReadData, _ unit: String) -> (name: String, run: () throws -> Pass) {
  (
    "pread + CRC",
    {
      let (log, bytes, records) = try data.log()
      let descriptor = open(try log.segmentInfo()[0].path, O_RDONLY)
      defer { close(descriptor) }
      var buffer = [UInt8](repeating: 0, count: chunkBytes)
      let start = nowNs()
      var position = 0
      var crc: UInt32 = 0
      while position < bytes {
        let count = buffer.withUnsafeMutableBytes {
          pread(descriptor, $0.baseAddress, chunkBytes, off_t(position))
        }
        crc = CRC32C.update(crc, buffer.span.extracting(0..<count))
        position += count
      }
      consume(UInt64(crc))
      return Pass(
        seconds: Double(nowNs() - start) / 1e9,
        units: unit == "B/s" ? Double(bytes) : Double(records))
    }
  )
}

private func scanRow(_ data: ReadData, _ scale: Scale) -> Row {
  Row(
    name: "scan with CRC and every record", unit: "rec/s", goal: ">= 60 M rec/s",
    ours: {
      let (log, bytes, records) = try data.log()
      let path = try log.segmentInfo()[0].path
      let file = try PosixDisk().open(path, .read)
      var buffer = [UInt8](repeating: 0, count: chunkBytes)
      var decoder = RecordDecoder()
      let before = allocations()
      let start = nowNs()
      var position = 0
      var seen: Int64 = 0
      while position < bytes {
        var span = buffer.mutableSpan
        let count = try file.read(into: &span, at: position)
        var used = 0
        while used + BatchHeader.byteCountMin <= count {
          let header = try BatchHeader(buffer.span.extracting(used..<count))
          guard used + header.byteCount <= count else { break }
          let batch = try RecordBatch(buffer.span.extracting(used..<used + header.byteCount))
          try batch.checkCRC()
          try batch.forEachRecord(&decoder) { record throws(BatchError) in
            seen &+= 1
            return record.offset >= 0
          }
          used += header.byteCount
        }
        position += used
      }
      precondition(seen == records, "\(seen) of \(records)")
      return Pass(
        seconds: Double(nowNs() - start) / 1e9, units: Double(records),
        allocations: allocations() - before, operations: Double(records))
    },
    ceiling: bareScan(data, "rec/s"))
}

private func decodeRow(_ scale: Scale) throws -> Row {
  let bytes = try batch(records: 100, valueBytes: 92)
  return Row(
    name: "decode the records of a batch in memory", unit: "rec/s", goal: "",
    ours: {
      var decoder = RecordDecoder()
      var seen: Int64 = 0
      let count = scale.count(200_000)
      let start = nowNs()
      for _ in 0..<count {
        let batch = try RecordBatch(bytes.span)
        try batch.forEachRecord(&decoder) { record throws(BatchError) in
          seen &+= 1
          return record.offset >= 0
        }
      }
      return Pass(
        seconds: Double(nowNs() - start) / 1e9, units: Double(seen), operations: Double(seen))
    },
    ceiling: nil)
}

private func checksumRow(_ data: ReadData, _ scale: Scale) -> Row {
  Row(
    name: "scan with CRC only (verify --quick)", unit: "B/s", goal: ">= 12 GB/s",
    ours: {
      let (log, bytes, _) = try data.log()
      let path = try log.segmentInfo()[0].path
      let start = nowNs()
      var options = VerificationOptions()
      options.depth = .quick
      options.threadCount = 1
      let report = try LogVerifier(PosixDisk(), options).verify([path])
      precondition(!report.hasDamage && report.byteCount == bytes, report.summary)
      return Pass(seconds: Double(nowNs() - start) / 1e9, units: Double(bytes))
    },
    ceiling: bareScan(data, "B/s"))
}

/// Append published → the tailing reader has the record, both spinning on their own core.
private func latencyRow(_ scale: Scale) -> Row {
  let count = scale.count(200_000)
  return Row(
    name: "append to tailing reader, inverse latency", unit: "1/s", goal: "<= 2 us: >= 500 k",
    ours: {
      let fixture = try Fixture("latency")
      let box = LatencyBox(fixture.log, count)
      let median = try box.run()
      try fixture.remove()
      return Pass(seconds: Double(median) / 1e9, units: 1)
    },
    ceiling: nil)
}
