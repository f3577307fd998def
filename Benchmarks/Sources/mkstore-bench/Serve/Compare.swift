import Glibc

/// One and the same client against any brokers: `Benchmarks/compare HOST:PORT [HOST:PORT …]`.
///
/// Each broker must lead the topics that it is asked to make, as a broker that is alone does.
/// Brokers take turns, load by load; the topics are deleted at the end.
func compare(_ addresses: [String], _ arguments: [String]) throws {
  let isTiny = arguments.contains("--tiny")
  let only = arguments.firstIndex(of: "--only").map { arguments[$0 + 1] }
  let acks: Int16 = arguments.contains("--acks-1") ? 1 : -1
  let brokers = addresses.map { text -> BrokerAddress in
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...])
    else { fatalError("'\(text)' is no HOST:PORT") }
    return BrokerAddress(host: String(text[..<colon]), port: port)
  }
  let runs = try brokers.map { try ComparedBroker($0, acks: acks, isTiny: isTiny) }
  for load in ComparedLoad.all {
    if let only, !load.name.contains(only) { continue }
    var results = [[LoadResult]](repeating: [], count: runs.count)
    for _ in 0..<(isTiny ? 1 : 3) {
      for (index, run) in runs.enumerated() {
        // What the load before left to be written is not this one's.
        sync()
        results[index].append(try run.run(load))
      }
    }
    for (index, passes) in results.enumerated() {
      // The median pass speaks for all.
      let result = passes.sorted { $0.seconds < $1.seconds }[passes.count / 2]
      let rate = Double(result.latencies.count) / result.seconds
      let data = Double(result.latencies.count * run(runs[index], bytesOf: load)) / result.seconds
      print(
        "\(addresses[index].padded(22)) \(load.name.padded(40)) "
          + "\(format(rate).leftPadded(10)) requests/s \(format(data).leftPadded(10)) B/s | "
          + "p50 \(format(result.percentile(0.5))) us, p99 \(format(result.percentile(0.99))) us"
          + (result.errors == 0 ? "" : " | \(result.errors) ANSWERS WERE ERRORS"))
    }
  }
  for run in runs { run.deleteTopics() }
}

private func run(_ broker: ComparedBroker, bytesOf load: ComparedLoad) -> Int {
  switch load.kind {
  case .produce: broker.large.count
  case .fetchLarge: max(1, (1 << 20) / broker.large.count) * broker.large.count
  case .fetchSmall: broker.small.count
  }
}

/// A load of the comparison.
private struct ComparedLoad {
  enum Kind { case produce, fetchLarge, fetchSmall }
  var name: String
  var kind: Kind
  var connections: Int
  var inFlight: Int
  var partitions = 1
  var count: Int

  static let all: [ComparedLoad] =
    [(1, 1), (1, 5), (16, 4), (256, 1)].flatMap { connections, inFlight in
      [1, 16, 256].map { partitions in
        ComparedLoad(
          name: "produce 16 KiB, \(connections) conn x \(inFlight), \(partitions) logs",
          kind: .produce, connections: connections, inFlight: inFlight, partitions: partitions,
          count: connections == 1 && inFlight == 1 ? 1000 : 6000)
      }
    } + [
      ComparedLoad(
        name: "fetch 1 MiB, 1 conn", kind: .fetchLarge, connections: 1, inFlight: 1, count: 1000),
      ComparedLoad(
        name: "fetch 1 KiB, 1 conn", kind: .fetchSmall, connections: 1, inFlight: 1, count: 10_000),
      ComparedLoad(
        name: "fetch 1 KiB, 16 conn", kind: .fetchSmall, connections: 16, inFlight: 1,
        count: 60_000),
    ]
}

/// A broker with topics of this run's own.
private final class ComparedBroker {
  let address: BrokerAddress
  let large: [UInt8]
  let small: [UInt8]
  private let acks: Int16
  private let isTiny: Bool
  private let name = "mkstore-bench-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
  private var topics: Set<String> = []
  private let largeCount: Int
  private let smallCount: Int

  init(_ address: BrokerAddress, acks: Int16, isTiny: Bool) throws {
    self.address = address
    self.acks = acks
    self.isTiny = isTiny
    large = try sixteenKiBBatch()
    small = try batch(records: 10, valueBytes: 90)
    largeCount = isTiny ? 128 : 12_800
    smallCount = isTiny ? 100 : 10_000
    signal(SIGPIPE, SIG_IGN)
  }

  func run(_ load: ComparedLoad) throws -> LoadResult {
    let count = isTiny ? max(20, load.connections) : load.count
    switch load.kind {
    case .produce:
      let topic = made("p\(load.partitions)", partitions: load.partitions, large)
      let source = ProduceSource(topic, partitions: load.partitions, batch: large, acks: acks)
      return client(load, source).run(count)
    case .fetchLarge:
      let topic = filled("large", large, largeCount)
      let source = FetchSource(
        topic, connections: load.connections, maxBytes: 1 << 20, batchBytes: large.count,
        batchCount: largeCount, recordsPerBatch: 150)
      return client(load, source, readBytes: 4096).run(count)
    case .fetchSmall:
      let topic = filled("small", small, smallCount)
      let source = FetchSource(
        topic, connections: load.connections, maxBytes: small.count, batchBytes: small.count,
        batchCount: smallCount, recordsPerBatch: 10)
      return client(load, source).run(count)
    }
  }

  private func client(_ load: ComparedLoad, _ source: any LoadSource, readBytes: Int = 64 << 10)
    -> LoadClient
  {
    LoadClient(
      address.host, port: address.port, connections: load.connections, window: load.inFlight,
      source: source, readBytes: readBytes)
  }

  private func made(_ suffix: String, partitions: Int, _ batch: [UInt8]) -> String {
    let topic = "\(name)-\(suffix)"
    if topics.insert(topic).inserted {
      address.makeTopic(topic, partitions: partitions)
      address.warm(topic, partitions: partitions, batch: batch)
    }
    return topic
  }

  private func filled(_ suffix: String, _ batch: [UInt8], _ count: Int) -> String {
    let isNew = !topics.contains("\(name)-\(suffix)")
    let topic = made(suffix, partitions: 1, batch)
    if isNew {
      let source = ProduceSource(topic, partitions: 1, batch: batch)
      let load = LoadClient(
        address.host, port: address.port, connections: 1, window: 5, source: source)
      let result = load.run(count - 1)
      precondition(result.errors == 0, "\(result.errors) batches of \(topic) were refused")
    }
    return topic
  }

  func deleteTopics() { for topic in topics { address.deleteTopic(topic) } }
}
