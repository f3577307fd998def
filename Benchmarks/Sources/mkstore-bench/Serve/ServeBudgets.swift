import Glibc

/// Allocations of the server for one request in steady state, with budgets that fail the run.
///
/// One connection, one request at a time: the count is the same in each run. The counter is
/// preloaded into the release server and counts all its threads.
func serveBudgetRows(_ scale: Scale) -> [Row] {
  [
    budgetRow("produce, not durable", durability: "os", budget: 14) { store in
      try produceLoad(store)
    },
    budgetRow("produce, durable", durability: "flushed", budget: 26) { store in
      try produceLoad(store)
    },
    budgetRow("fetch of 1 KiB", durability: "os", budget: 18) { store in
      try fetchLoad(store, maxBytes: 1000)
    },
    budgetRow("fetch of 1 MiB", durability: "os", budget: 24) { store in
      try fetchLoad(store, maxBytes: 1 << 20)
    },
  ]
}

private let budgetBatches = 4000

private func produceLoad(_ store: ServedStore) throws -> LoadClient {
  BrokerAddress(port: store.port).makeTopic("bench", partitions: 1)
  let source = ProduceSource("bench", partitions: 1, batch: try sixteenKiBBatch())
  return LoadClient(port: store.port, connections: 1, window: 1, source: source)
}

private func fetchLoad(_ store: ServedStore, maxBytes: Int) throws -> LoadClient {
  let batch = maxBytes < 16_000 ? try batch(records: 10, valueBytes: 90) : try sixteenKiBBatch()
  let address = BrokerAddress(port: store.port)
  address.makeTopic("bench", partitions: 1)
  address.warm("bench", partitions: 1, batch: batch)
  let source = ProduceSource("bench", partitions: 1, batch: batch)
  let load = LoadClient(port: store.port, connections: 1, window: 16, source: source)
  precondition(load.run(budgetBatches - 1).errors == 0)
  let fetch = FetchSource(
    "bench", connections: 1, maxBytes: max(maxBytes, batch.count), batchBytes: batch.count,
    batchCount: budgetBatches, recordsPerBatch: maxBytes < 16_000 ? 10 : 150)
  return LoadClient(
    port: store.port, connections: 1, window: 1, source: fetch, readBytes: 4096)
}

private func budgetRow(
  _ name: String, durability: String, budget: Double,
  _ makeLoad: @escaping (ServedStore) throws -> LoadClient
) -> Row {
  var worst = 0.0
  return Row(
    name: "serve: allocations of a \(name)", unit: "mallocs", goal: "<= \(Int(budget)), or fail",
    ours: {
      let store = ServedStore("budget", durability: durability, countsAllocations: true)
      let load = try makeLoad(store)
      precondition(load.run(50).errors == 0)
      let count = 20
      // The least of several stretches: what a timer of the server adds is not the request's.
      let each = (0..<10).map { _ -> Double in
        let before = store.allocations
        precondition(load.run(count).errors == 0)
        return Double(store.allocations - before) / Double(count)
      }.min()!
      worst = max(worst, each)
      precondition(each > 0, "the server's allocations were not counted")
      precondition(each <= budget, "\(name): \(each) allocations, the budget is \(budget)")
      return Pass(seconds: 1, units: each)
    },
    ceiling: nil, passes: 1, note: { "" })
}
