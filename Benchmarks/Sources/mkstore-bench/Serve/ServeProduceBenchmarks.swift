import Glibc

/// Ready 16 KiB batches from many connections to many partitions, durable beside not durable: what
/// is not synced is the ceiling of what is.
func serveProduceRows(_ scale: Scale) -> [Row] {
  var rows: [Row] = []
  // Making a thousand logs syncs thousands of times: too long for a run that only must not rot.
  for connections in scale.isTiny ? [1, 16] : [1, 16, 256] {
    for partitions in scale.isTiny ? [1, 20] : [1, 16, 256, 1000] {
      let inFlight = max(1, 64 / connections)
      rows.append(
        produceRow(
          scale, connections, partitions, inFlight: inFlight, goal: "ratio >= 0.80"))
    }
  }
  return rows + [produceRow(scale, 1, 1, inFlight: 1, goal: "")]
}

/// Two servers with the same topic, one durable; a pass of each is one run of a row.
private final class ProducePair {
  let durable: ServedStore
  let notDurable: ServedStore
  let durableLoad: LoadClient
  let notDurableLoad: LoadClient

  init(_ connections: Int, _ partitions: Int, inFlight: Int) throws {
    let bytes = try sixteenKiBBatch()
    durable = ServedStore("durable")
    notDurable = ServedStore("os", durability: "os")
    let loads = [durable, notDurable].map { store in
      BrokerAddress(port: store.port).makeTopic("bench", partitions: partitions)
      let source = ProduceSource("bench", partitions: partitions, batch: bytes)
      let load = LoadClient(
        port: store.port, connections: connections, window: inFlight, source: source)
      // The first append to each log makes its files.
      _ = load.run(max(partitions, connections * inFlight))
      return load
    }
    (durableLoad, notDurableLoad) = (loads[0], loads[1])
  }
}

private func produceRow(
  _ scale: Scale, _ connections: Int, _ partitions: Int, inFlight: Int, goal: String
) -> Row {
  let count = scale.isTiny ? max(64, connections) : inFlight == 1 && connections == 1 ? 1500 : 8192
  var pair: ProducePair?
  var notes: (durable: LoadResult, other: LoadResult)?
  var costs = (durable: 0.0, other: 0.0)
  func made() throws -> ProducePair {
    if let pair { return pair }
    let made = try ProducePair(connections, partitions, inFlight: inFlight)
    pair = made
    return made
  }
  return Row(
    name: "serve: produce \(connections) conn x \(inFlight) to \(partitions) logs, durable",
    unit: "batches/s", goal: goal,
    ours: {
      // What the other server left to be written is not this one's.
      sync()
      let before = try made().durable.process.processorSeconds
      let result = try made().durableLoad.run(count)
      costs.durable = (try made().durable.process.processorSeconds - before) / Double(count)
      precondition(result.errors == 0, "\(result.errors) batches were refused")
      notes = (result, notes?.other ?? result)
      return Pass(seconds: result.seconds, units: Double(count))
    },
    ceiling: (
      "not durable",
      {
        let before = try made().notDurable.process.processorSeconds
        let result = try made().notDurableLoad.run(count)
        costs.other = (try made().notDurable.process.processorSeconds - before) / Double(count)
        precondition(result.errors == 0, "\(result.errors) batches were refused")
        notes = (notes?.durable ?? result, result)
        return Pass(seconds: result.seconds, units: Double(count))
      }
    ),
    passes: 3,
    note: {
      guard let notes else { return "" }
      return "p50 \(format(notes.durable.percentile(0.5))) us, p99 "
        + "\(format(notes.durable.percentile(0.99))) us; not durable p50 "
        + "\(format(notes.other.percentile(0.5))) us, p99 "
        + "\(format(notes.other.percentile(0.99))) us; server's processor time a batch "
        + "\(format(costs.durable * 1e6)) and \(format(costs.other * 1e6)) us"
    },
    cleanUp: { pair = nil })
}
