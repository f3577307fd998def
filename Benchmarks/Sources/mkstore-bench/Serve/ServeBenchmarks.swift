import Glibc

/// The server over loopback, beside its ceilings. The server and each ceiling are processes of
/// their own; the load comes from one thread of this one.
func serveRows(_ scale: Scale) throws -> [Row] {
  raiseDescriptorLimit()
  let hot = HotStore(scale)
  return [
    bulkFetchRow(hot, scale, inFlight: 2), bulkFetchRow(hot, scale, inFlight: 1),
    smallFetchRow(hot, scale, connections: 1), smallFetchRow(hot, scale, connections: 16),
    smallFetchRow(hot, scale, connections: 256),
  ] + verifiedRows(ReadData(scale)) + serveProduceRows(scale) + serveStartRows(scale)
    + serveMemoryRows(scale) + serveBudgetRows(scale) + serveColdRows(scale)
    + answerSizeRows(scale)
}

private func raiseDescriptorLimit() {
  var limit = rlimit()
  getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  limit.rlim_cur = limit.rlim_max
  setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}

/// A batch of about 16 KiB: 150 records of 100 bytes.
func sixteenKiBBatch() throws -> [UInt8] { try batch(records: 150, valueBytes: 100) }

/// A served store with one log of equal batches that is in the page cache, and one of small ones.
final class HotStore {
  private let scale: Scale
  private var served: ServedStore?
  private(set) var largeBatchBytes = 0
  private(set) var smallBatchBytes = 0
  let largeCount: Int
  let smallCount: Int
  static let smallRecords = 10

  init(_ scale: Scale) {
    self.scale = scale
    largeCount = scale.isTiny ? 640 : 25_600
    smallCount = scale.isTiny ? 500 : 20_000
  }

  func store() throws -> ServedStore {
    if let served { return served }
    let made = ServedStore("hot", durability: "os")
    served = made
    let address = BrokerAddress(port: made.port)
    let large = try sixteenKiBBatch()
    let small = try batch(records: Self.smallRecords, valueBytes: 90)
    largeBatchBytes = large.count
    smallBatchBytes = small.count
    for (topic, batch, count) in [("large", large, largeCount), ("small", small, smallCount)] {
      address.makeTopic(topic, partitions: 1)
      address.warm(topic, partitions: 1, batch: batch)
      let source = ProduceSource(topic, partitions: 1, batch: batch)
      let load = LoadClient(port: made.port, connections: 1, window: 16, source: source)
      let result = load.run(count - 1)
      precondition(result.errors == 0, "\(result.errors) batches of \(topic) were refused")
    }
    return made
  }
}

private func bulkFetchRow(_ hot: HotStore, _ scale: Scale, inFlight: Int) -> Row {
  let chunkBytes = 1 << 20
  var peer: ServerProcess?
  var load: LoadClient?
  var processorShare = 0.0
  func bytes() -> Int {
    let perFetch = chunkBytes / hot.largeBatchBytes
    return hot.largeCount / perFetch * perFetch * hot.largeBatchBytes
  }
  return Row(
    name: "serve: fetch hot, 1 MiB answers, \(inFlight) in flight", unit: "B/s",
    goal: inFlight > 1 ? "ratio >= 0.80" : "",
    ours: {
      let store = try hot.store()
      let client: LoadClient
      if let load {
        client = load
      } else {
        let source = FetchSource(
          "large", connections: 1, maxBytes: chunkBytes, batchBytes: hot.largeBatchBytes,
          batchCount: hot.largeCount, recordsPerBatch: 150)
        client = LoadClient(
          port: store.port, connections: 1, window: inFlight, source: source, readBytes: 4096)
        load = client
        _ = client.run(hot.largeCount / (chunkBytes / hot.largeBatchBytes))
      }
      let rounds = scale.isTiny ? 1 : 4
      let before = store.process.processorSeconds
      let result = client.run(rounds * hot.largeCount / (chunkBytes / hot.largeBatchBytes))
      precondition(result.errors == 0, "\(result.errors) fetches gave something else")
      processorShare = (store.process.processorSeconds - before) / (Double(result.bytes) / 1e9)
      return Pass(seconds: result.seconds, units: Double(result.bytes))
    },
    ceiling: (
      "bare sendfile loop",
      {
        let store = try hot.store()
        if peer == nil {
          peer = .peer([
            "sendfile", "\(store.path)/large-0/00000000000000000000.log", "\(chunkBytes)",
            "\(bytes())",
          ])
        }
        let total = bytes() * (scale.isTiny ? 1 : 4)
        return Pass(seconds: drain(port: peer!.port, bytes: total), units: Double(total))
      }
    ),
    note: { "server \(format(processorShare * 1000)) ms of processor time a GB" },
    cleanUp: { (peer, load) = (nil, nil) })
}

private func smallFetchRow(_ hot: HotStore, _ scale: Scale, connections: Int) -> Row {
  let count = scale.count(connections == 1 ? 20_000 : 100_000)
  var peer: ServerProcess?
  var loads: (ours: LoadClient, peer: LoadClient)?
  var notes: (ours: LoadResult, peer: LoadResult)?
  var costs = (ours: 0.0, peer: 0.0)
  func clients() throws -> (ours: LoadClient, peer: LoadClient) {
    if let loads { return loads }
    let store = try hot.store()
    func source() -> FetchSource {
      FetchSource(
        "small", connections: connections, maxBytes: hot.smallBatchBytes,
        batchBytes: hot.smallBatchBytes, batchCount: hot.smallCount,
        recordsPerBatch: HotStore.smallRecords)
    }
    let answerBytes = 4 + KafkaFrames.fetchRecordsPosition("small") + 4 + hot.smallBatchBytes
    let echo = ServerProcess.peer(["echo", "\(answerBytes)"])
    let made = (
      LoadClient(port: store.port, connections: connections, window: 1, source: source()),
      LoadClient(port: echo.port, connections: connections, window: 1, source: AnySource(source()))
    )
    _ = made.0.run(count / 10 + connections)
    _ = made.1.run(count / 10 + connections)
    (peer, loads) = (echo, made)
    return made
  }
  return Row(
    name: "serve: fetch 1 KiB answers, \(connections) connections", unit: "fetches/s",
    goal: "ratio >= 0.50",
    ours: {
      let loads = try clients()
      let before = try hot.store().process.processorSeconds
      let result = loads.ours.run(count)
      costs.ours = (try hot.store().process.processorSeconds - before) / Double(count)
      precondition(result.errors == 0, "\(result.errors) fetches gave something else")
      notes = (result, notes?.peer ?? result)
      return Pass(seconds: result.seconds, units: Double(count))
    },
    ceiling: (
      "NIO echo",
      {
        let loads = try clients()
        let before = peer!.processorSeconds
        let result = loads.peer.run(count)
        costs.peer = (peer!.processorSeconds - before) / Double(count)
        notes = (notes?.ours ?? result, result)
        return Pass(seconds: result.seconds, units: Double(count))
      }
    ),
    note: {
      guard let notes else { return "" }
      return "p50 \(format(notes.ours.percentile(0.5))) us, p99 "
        + "\(format(notes.ours.percentile(0.99))) us; echo p50 "
        + "\(format(notes.peer.percentile(0.5))) us, p99 \(format(notes.peer.percentile(0.99))) us"
        + "; processor time a fetch \(format(costs.ours * 1e6)) us, "
        + "echo \(format(costs.peer * 1e6)) us"
    },
    cleanUp: { (loads, peer) = (nil, nil) })
}

/// Asks as another source does and takes any answer.
private final class AnySource: LoadSource {
  private let source: any LoadSource

  init(_ source: any LoadSource) { self.source = source }

  func request(_ connection: Int) -> (UnsafeRawBufferPointer, UnsafeRawBufferPointer) {
    source.request(connection)
  }

  func accept(_: UnsafeRawBufferPointer, size _: Int, connection _: Int) -> Bool { true }
}
