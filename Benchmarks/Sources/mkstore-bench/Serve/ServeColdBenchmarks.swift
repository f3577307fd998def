import Glibc
import Synchronization

/// Tail fetches and produces while another client scans a log whose pages are dropped from the page
/// cache all the time, beside the same on an idle server. With `--keep-pages` the run's cgroup has
/// too little memory for the log, so that the kernel drops them.
func serveColdRows(_ scale: Scale) -> [Row] {
  let cold = ColdStore(scale)
  return [
    coldRow(cold, "produce", \.produce, scale) {},
    coldRow(cold, "tail fetch", \.fetch, scale) {},
    loadedRow(cold, scale),
  ]
}

/// Latencies of small produces and of fetches of what they wrote, one at a time, paced.
private struct ProbeResult {
  var produce: [Int64] = []
  var fetch: [Int64] = []
}

private func coldRow(
  _ cold: ColdStore, _ what: String, _ path: KeyPath<ProbeResult, [Int64]>, _ scale: Scale,
  cleanUp: @escaping () -> Void
) -> Row {
  var scanned = 0.0
  var medians = (beside: 0.0, idle: 0.0)
  func p99(_ result: ProbeResult, _ median: inout Double) -> Pass {
    let sorted = result[keyPath: path].sorted()
    median = Double(sorted[sorted.count / 2]) / 1000
    return Pass(seconds: 1, units: Double(sorted[sorted.count * 99 / 100]) / 1000)
  }
  return Row(
    name: "serve: p99 of \(what) beside a cold scan", unit: "us", goal: "ratio <= 2",
    ours: {
      let (result, bytes, seconds) = try cold.probe(scans: true)
      scanned = Double(bytes) / seconds
      return p99(result, &medians.beside)
    },
    ceiling: ("idle", { p99(try cold.probe(scans: false).result, &medians.idle) }),
    passes: 3,
    note: {
      "p50 \(format(medians.beside)) us, idle \(format(medians.idle)) us; "
        + "the scan gets \(format(scanned)) B/s"
    }, cleanUp: cleanUp)
}

/// What durable produces and a cold scan leave of each other where both take all they get.
private func loadedRow(_ cold: ColdStore, _ scale: Scale) -> Row {
  let count = scale.isTiny ? 64 : 16_384
  var scanned = 0.0
  return Row(
    name: "serve: produce 16 conn x 4, durable, beside a cold scan", unit: "batches/s", goal: "",
    ours: {
      let (result, bytes, seconds) = try cold.load(count, scans: true)
      scanned = Double(bytes) / seconds
      return Pass(seconds: result.seconds, units: Double(count))
    },
    ceiling: (
      "without the scan",
      {
        Pass(seconds: try cold.load(count, scans: false).result.seconds, units: Double(count))
      }
    ),
    passes: 3, note: { "the scan gets \(format(scanned)) B/s" }, cleanUp: { cold.drop() })
}

private final class ColdStore {
  private let batchCount: Int
  private let probes: Int
  private let dropsPages: Bool
  private var served: ServedStore?
  private var batchBytes = 0
  private var probed: Int64 = 0

  init(_ scale: Scale) {
    batchCount = scale.isTiny ? 640 : 64_000
    probes = scale.isTiny ? 20 : 2000
    dropsPages = !scale.keepsPages
  }

  private var loadClient: LoadClient?

  func drop() {
    loadClient = nil
    served = nil
  }

  func load(_ count: Int, scans: Bool) throws -> (result: LoadResult, bytes: Int, seconds: Double) {
    let store = try store()
    let client =
      try loadClient
      ?? LoadClient(
        port: store.port, connections: 16, window: 4,
        source: ProduceSource("load", partitions: 1, batch: sixteenKiBBatch()))
    loadClient = client
    let scan = scans ? makeScan(store) : nil
    let start = nowNs()
    let result = client.run(count)
    let bytes = scan?.finish() ?? 0
    precondition(result.errors == 0, "\(result.errors) batches were refused")
    return (result, bytes, Double(nowNs() - start) / 1e9)
  }

  private func makeScan(_ store: ServedStore) -> ColdScan {
    ColdScan(store, batchBytes: batchBytes, batchCount: batchCount, drops: dropsPages)
  }

  private func store() throws -> ServedStore {
    if let served { return served }
    let made = ServedStore("cold", settings: ["segment.bytes=134217728"])
    served = made
    let address = BrokerAddress(port: made.port)
    let bytes = try sixteenKiBBatch()
    batchBytes = bytes.count
    address.makeTopic("cold", partitions: 1)
    address.makeTopic("tail", partitions: 1)
    address.makeTopic("load", partitions: 1)
    address.warm("cold", partitions: 1, batch: bytes)
    let source = ProduceSource("cold", partitions: 1, batch: bytes)
    let load = LoadClient(port: made.port, connections: 1, window: 64, source: source)
    precondition(load.run(batchCount - 1).errors == 0)
    return made
  }

  func probe(scans: Bool) throws -> (result: ProbeResult, bytes: Int, seconds: Double) {
    let store = try store()
    let scan = scans ? makeScan(store) : nil
    let start = nowNs()
    let result = try probe(store)
    let bytes = scan?.finish() ?? 0
    return (result, bytes, Double(nowNs() - start) / 1e9)
  }

  private func probe(_ store: ServedStore) throws -> ProbeResult {
    let socket = ClientSocket(store.port)
    let bytes = try batch(records: 1, valueBytes: 900)
    let head = KafkaFrames.produce("tail", 0, acks: -1, batchBytes: bytes.count)
    let (fetch, position) = KafkaFrames.fetch("tail", 0, maxBytes: 1 << 20)
    let frame = PinnedBytes(fetch)
    var result = ProbeResult()
    for index in 0..<probes {
      let began = nowNs()
      socket.send(head, bytes)
      let ack = socket.receive()
      let acked = nowNs()
      precondition(ack.number(Int16.self, at: KafkaFrames.produceErrorPosition("tail")) == 0)
      frame.store(ack.number(Int64.self, at: 20 + 4), at: position)
      socket.send(Array(frame.bytes))
      let answer = socket.receive()
      let got = nowNs()
      precondition(answer.number(Int32.self, at: KafkaFrames.fetchRecordsPosition("tail")) > 0)
      // The first ones make files and fill caches.
      if index >= probes / 20 {
        result.produce.append(acked - began)
        result.fetch.append(got - acked)
      }
      usleep(1000)
    }
    return result
  }
}

/// One client that reads a log again and again, 1 MiB at a time, while its pages are dropped,
/// unless a limit of memory from outside does that.
private final class ColdScan: @unchecked Sendable {
  private let isStopped = Atomic<Bool>(false)
  private let received = Atomic<Int>(0)
  private var threads: [pthread_t] = []
  private let files: [Int32]

  init(_ store: ServedStore, batchBytes: Int, batchCount: Int, drops: Bool) {
    files = Self.segments("\(store.path)/cold-0")
    dropPages(pauseUs: 0)
    let port = store.port
    threads.append(
      startThread { [self] in
        // It stands for another machine, which would take nothing of this one's processors.
        standBehind()
        let source = FetchSource(
          "cold", connections: 1, maxBytes: 1 << 20, batchBytes: batchBytes,
          batchCount: batchCount, recordsPerBatch: 150)
        let client = LoadClient(
          port: port, connections: 1, window: 1, source: source, readBytes: 4096)
        while !isStopped.load(ordering: .relaxed) {
          received.wrappingAdd(client.run(16).bytes, ordering: .relaxed)
        }
      })
    guard drops else { return }
    threads.append(
      startThread { [self] in
        standBehind()
        while !isStopped.load(ordering: .relaxed) { dropPages(pauseUs: 1000) }
      })
  }

  /// - Returns: Bytes that the scan received.
  func finish() -> Int {
    isStopped.store(true, ordering: .relaxed)
    for thread in threads { pthread_join(thread, nil) }
    for file in files { close(file) }
    return received.load(ordering: .relaxed)
  }

  /// Takes a processor only where nobody else wants it.
  private func standBehind() { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19) }

  /// Drops all pages once, a MiB in a call: one call for all keeps a processor for milliseconds,
  /// which nobody else gets while a kernel does not preempt, and the row would measure that.
  private func dropPages(pauseUs: UInt32) {
    for file in files {
      for position in stride(from: 0, to: lseek(file, 0, SEEK_END), by: 1 << 20) {
        posix_fadvise(file, position, 1 << 20, POSIX_FADV_DONTNEED)
        if pauseUs > 0 { usleep(pauseUs) }
      }
    }
  }

  private static func segments(_ path: String) -> [Int32] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var files: [Int32] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasSuffix(".log") { files.append(open("\(path)/\(name)", O_RDONLY)) }
    }
    return files
  }
}

/// Runs `body` on a thread of its own.
func startThread(_ body: @escaping @Sendable () -> Void) -> pthread_t {
  final class Box {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  var thread = pthread_t()
  pthread_create(
    &thread, nil,
    { raw in
      Unmanaged<Box>.fromOpaque(raw!).takeRetainedValue().body()
      return nil
    }, Unmanaged.passRetained(Box(body)).toOpaque())
  return thread
}
