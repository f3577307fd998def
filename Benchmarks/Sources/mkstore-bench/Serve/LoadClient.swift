import CEpoll
import Glibc

/// What a load of requests gave.
struct LoadResult {
  var seconds: Double
  /// Nanoseconds from a request's first byte sent to its answer's last byte received, sorted.
  var latencies: [Int64]
  /// Answers that were not what was asked for.
  var errors: Int
  /// Bytes received.
  var bytes: Int

  /// The latency that a share of the answers did not pass, in µs.
  func percentile(_ share: Double) -> Double {
    guard !latencies.isEmpty else { return 0 }
    let index = min(latencies.count - 1, Int(Double(latencies.count) * share))
    return Double(latencies[index]) / 1000
  }
}

/// What one connection asks, one request after another.
protocol LoadSource: AnyObject {
  /// The next request of a connection in one or two parts, which stay where they are until the
  /// connection's next request.
  func request(_ connection: Int) -> (UnsafeRawBufferPointer, UnsafeRawBufferPointer)
  /// An answer's first bytes (without the size) and its size; false where it is an error.
  func accept(_ head: UnsafeRawBufferPointer, size: Int, connection: Int) -> Bool
}

/// Many connections to one address, driven by one thread with epoll: prebuilt requests out, answers
/// discarded but for their heads.
///
/// Bulk bytes are dropped by the kernel (MSG_TRUNC), as the readers of the other rows do.
final class LoadClient {
  /// How much of an answer is looked at.
  private static let headBytes = 128

  private struct Connection {
    var descriptor: Int32
    var inFlight = 0
    /// Sent bytes of the request that is on its way, while it is.
    var sent = 0
    var isSending = false
    var waitsToSend = false
    var parts: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) = (
      .init(start: nil, count: 0), .init(start: nil, count: 0)
    )
    /// The answer that is coming in: bytes of its head, its size, bytes still to be dropped.
    var have = 0
    var size = 0
    var skip = 0
    /// When the requests in flight began, as a ring.
    var firstSent = 0
    var sentCount = 0
  }

  private let poll: Int32
  private let window: Int
  private let source: any LoadSource
  private var connections: [Connection] = []
  private let heads: UnsafeMutablePointer<UInt8>
  private let times: UnsafeMutablePointer<Int64>
  private let buffer: UnsafeMutableRawPointer
  private let readBytes: Int
  private var started = 0
  private var answered = 0
  private var total = 0
  private var errors = 0
  private var received = 0
  private var latencies: [Int64] = []

  /// - Parameters:
  ///   - window: Requests in flight on each connection.
  ///   - readBytes: How much is read into memory at once; small where answers are large.
  init(
    _ host: String = "127.0.0.1", port: UInt16, connections count: Int, window: Int,
    source: any LoadSource, readBytes: Int = 64 << 10
  ) {
    self.window = window
    self.source = source
    self.readBytes = readBytes
    poll = epoll_create1(0)
    heads = .allocate(capacity: count * Self.headBytes)
    times = .allocate(capacity: count * window)
    buffer = .allocate(byteCount: 1 << 20, alignment: 4096)
    for index in 0..<count {
      let socket = ClientSocket(port, host: host)
      // The socket object closes its descriptor; this one is ours.
      let descriptor = fcntl(socket.descriptor, F_DUPFD_CLOEXEC, 3)
      _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
      connections.append(Connection(descriptor: descriptor))
      watch(index, isKnown: false, toSend: false)
    }
  }

  deinit {
    for connection in connections { close(connection.descriptor) }
    close(poll)
    heads.deallocate()
    times.deallocate()
    buffer.deallocate()
  }

  private func watch(_ index: Int, isKnown: Bool = true, toSend: Bool) {
    let code = bench_epoll_watch(
      poll, connections[index].descriptor, UInt32(index), isKnown ? 1 : 0, toSend ? 1 : 0)
    precondition(code == 0, "epoll_ctl: \(errno)")
  }

  /// Sends `total` requests, keeping `window` of each connection in flight, and waits for all
  /// answers.
  func run(_ total: Int) -> LoadResult {
    self.total = total
    (started, answered, errors, received) = (0, 0, 0, 0)
    latencies = []
    latencies.reserveCapacity(total)
    var events = [epoll_event](repeating: epoll_event(), count: 256)
    let start = nowNs()
    for index in connections.indices { fill(index) }
    while answered < total {
      let count = epoll_wait(poll, &events, 256, 30_000)
      precondition(count > 0 || errno == EINTR, "no answer for 30 seconds: \(answered) of \(total)")
      for slot in 0..<Int(max(0, count)) {
        let index = Int(bench_epoll_index(&events[slot]))
        if bench_epoll_reads(&events[slot]) != 0 { read(index) }
        fill(index)
      }
    }
    let seconds = Double(nowNs() - start) / 1e9
    latencies.sort()
    return LoadResult(seconds: seconds, latencies: latencies, errors: errors, bytes: received)
  }

  // MARK: Out

  private func fill(_ index: Int) {
    while true {
      if !connections[index].isSending {
        guard started < total, connections[index].inFlight < window else { break }
        begin(index)
      }
      guard push(index) else {
        if !connections[index].waitsToSend {
          connections[index].waitsToSend = true
          watch(index, toSend: true)
        }
        return
      }
    }
    if connections[index].waitsToSend {
      connections[index].waitsToSend = false
      watch(index, toSend: false)
    }
  }

  private func begin(_ index: Int) {
    started += 1
    let parts = source.request(index)
    connections[index].parts = parts
    connections[index].sent = 0
    connections[index].isSending = true
    connections[index].inFlight += 1
    times[index * window + connections[index].sentCount % window] = nowNs()
    connections[index].sentCount += 1
  }

  /// Sends what is left of the request under way; false where the socket takes no more.
  private func push(_ index: Int) -> Bool {
    let (head, body) = connections[index].parts
    let size = head.count + body.count
    while connections[index].sent < size {
      let sent = connections[index].sent
      var pieces = (iovec(), iovec())
      var count = 0
      if sent < head.count {
        pieces.0 = iovec(
          iov_base: UnsafeMutableRawPointer(mutating: head.baseAddress! + sent),
          iov_len: head.count - sent)
        count = 1
      }
      if body.count > 0 {
        let from = max(0, sent - head.count)
        let piece = iovec(
          iov_base: UnsafeMutableRawPointer(mutating: body.baseAddress! + from),
          iov_len: body.count - from)
        if count == 0 { pieces.0 = piece } else { pieces.1 = piece }
        count += 1
      }
      let descriptor = connections[index].descriptor
      let done = withUnsafeMutablePointer(to: &pieces) {
        $0.withMemoryRebound(to: iovec.self, capacity: 2) { writev(descriptor, $0, Int32(count)) }
      }
      if done < 0 {
        precondition(errno == EAGAIN || errno == EINTR, "the connection broke: \(errno)")
        return false
      }
      connections[index].sent += done
    }
    connections[index].isSending = false
    return true
  }

  // MARK: In

  private func read(_ index: Int) {
    while true {
      let skip = connections[index].skip
      let isBulk = skip > readBytes
      let asked = isBulk ? min(skip, 1 << 20) : readBytes
      let count = recv(
        connections[index].descriptor, buffer, asked,
        isBulk ? Int32(0x20) : 0)
      if count < 0, errno == EAGAIN || errno == EINTR { return }
      precondition(count > 0, "the server closed the connection: \(errno)")
      received += count
      if isBulk {
        connections[index].skip -= count
        if connections[index].skip == 0 { complete(index) }
      } else {
        parse(index, count)
      }
      if count < asked { return }
    }
  }

  private func parse(_ index: Int, _ count: Int) {
    var position = 0
    let head = heads + index * Self.headBytes
    while position < count {
      if connections[index].skip > 0 {
        let dropped = min(connections[index].skip, count - position)
        connections[index].skip -= dropped
        position += dropped
        if connections[index].skip == 0 { complete(index) }
        continue
      }
      let have = connections[index].have
      let wanted = have < 4 ? 4 : min(4 + connections[index].size, Self.headBytes)
      let taken = min(wanted - have, count - position)
      memcpy(head + have, buffer + position, taken)
      position += taken
      connections[index].have += taken
      guard connections[index].have == wanted else { return }
      if wanted == 4 {
        connections[index].size = (0..<4).reduce(0) { $0 << 8 | Int(head[$1]) }
      } else {
        connections[index].skip = 4 + connections[index].size - wanted
        if connections[index].skip == 0 { complete(index) }
      }
    }
  }

  private func complete(_ index: Int) {
    let began = times[index * window + connections[index].firstSent % window]
    connections[index].firstSent += 1
    latencies.append(nowNs() - began)
    let head = UnsafeRawBufferPointer(
      start: heads + index * Self.headBytes + 4, count: connections[index].have - 4)
    if !source.accept(head, size: connections[index].size, connection: index) { errors += 1 }
    connections[index].have = 0
    connections[index].inFlight -= 1
    answered += 1
  }
}

/// Bytes at a place that does not move.
final class PinnedBytes {
  let bytes: UnsafeMutableRawBufferPointer

  init(_ array: [UInt8]) {
    bytes = .allocate(byteCount: array.count, alignment: 64)
    bytes.copyBytes(from: array)
  }

  deinit { bytes.deallocate() }

  /// Writes a big-endian 64-bit number.
  func store(_ value: Int64, at position: Int) {
    bytes.storeBytes(of: value.bigEndian, toByteOffset: position, as: Int64.self)
  }
}

/// Produces one batch again and again, to the partitions of a topic in turn.
final class ProduceSource: LoadSource {
  private let heads: [PinnedBytes]
  private let batch: PinnedBytes
  private let errorPosition: Int
  private var next = 0

  init(_ topic: String, partitions: Int, batch: [UInt8], acks: Int16 = -1) {
    heads = (0..<partitions).map {
      PinnedBytes(KafkaFrames.produce(topic, $0, acks: acks, batchBytes: batch.count))
    }
    self.batch = PinnedBytes(batch)
    errorPosition = KafkaFrames.produceErrorPosition(topic)
  }

  func request(_: Int) -> (UnsafeRawBufferPointer, UnsafeRawBufferPointer) {
    next = next + 1 == heads.count ? 0 : next + 1
    return (UnsafeRawBufferPointer(heads[next].bytes), UnsafeRawBufferPointer(batch.bytes))
  }

  func accept(_ head: UnsafeRawBufferPointer, size _: Int, connection _: Int) -> Bool {
    head.count > errorPosition + 2
      && head.loadUnaligned(fromByteOffset: errorPosition, as: Int16.self) == 0
  }
}

/// Fetches a log of equal batches from its beginning to its end, each connection for itself, again
/// and again.
final class FetchSource: LoadSource {
  private let frames: [PinnedBytes]
  private let offsetPosition: Int
  private var batches: [Int]
  private let batchesPerFetch: Int
  private let batchCount: Int
  private let recordsPerBatch: Int
  private let errorPosition: Int
  private let recordsPosition: Int
  private let bytesMin: Int

  /// - Parameter batchCount: Batches of the log, each with `recordsPerBatch` records.
  init(
    _ topic: String, connections: Int, maxBytes: Int, batchBytes: Int, batchCount: Int,
    recordsPerBatch: Int
  ) {
    let (frame, position) = KafkaFrames.fetch(topic, 0, maxBytes: maxBytes)
    frames = (0..<connections).map { _ in PinnedBytes(frame) }
    offsetPosition = position
    batchesPerFetch = max(1, maxBytes / batchBytes)
    self.batchCount = batchCount / batchesPerFetch * batchesPerFetch
    // Spread, so that connections do not ask for the same bytes at the same time.
    let rounds = self.batchCount / batchesPerFetch
    let perFetch = batchesPerFetch
    batches = (0..<connections).map { rounds * $0 / connections * perFetch }
    self.recordsPerBatch = recordsPerBatch
    errorPosition = KafkaFrames.fetchErrorPosition(topic)
    recordsPosition = KafkaFrames.fetchRecordsPosition(topic)
    bytesMin = batchesPerFetch * batchBytes
  }

  func request(_ connection: Int) -> (UnsafeRawBufferPointer, UnsafeRawBufferPointer) {
    let frame = frames[connection]
    frame.store(Int64(batches[connection] * recordsPerBatch), at: offsetPosition)
    batches[connection] += batchesPerFetch
    if batches[connection] >= batchCount { batches[connection] = 0 }
    return (UnsafeRawBufferPointer(frame.bytes), UnsafeRawBufferPointer(start: nil, count: 0))
  }

  func accept(_ head: UnsafeRawBufferPointer, size _: Int, connection _: Int) -> Bool {
    guard head.count >= recordsPosition + 4,
      head.loadUnaligned(fromByteOffset: errorPosition, as: Int16.self) == 0
    else { return false }
    let count = Int32(
      bigEndian: head.loadUnaligned(fromByteOffset: recordsPosition, as: Int32.self))
    // Some brokers end an answer within a batch.
    return Int(count) >= bytesMin
  }
}
