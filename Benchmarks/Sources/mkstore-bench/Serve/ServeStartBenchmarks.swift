import Glibc

/// From the start of the process to the line that says it serves; the same executable saying its
/// version is the floor.
func serveStartRows(_ scale: Scale) -> [Row] {
  let many = ManyPartitions(scale)
  return [
    startRow("an empty store", goal: "<= 50 ms") {
      let store = ServedStore("empty")
      return store.process.readySeconds
    },
    startRow("\(many.count) partitions, clean stop", goal: "<= 1000 ms", passes: 3) {
      let store = try many.store()
      store.restart(SIGTERM)
      return store.process.readySeconds
    },
    startRow("\(many.count) partitions, kill -9", goal: "<= 1000 ms", passes: 3) {
      let store = try many.store()
      // A batch in half of them, so that the next opening has something to look at.
      try many.produceToEach(of: "first")
      store.restart(SIGKILL)
      return store.process.readySeconds
    },
    Row(
      name: "serve: resident memory, \(many.count) partitions", unit: "MB", goal: "",
      ours: {
        Pass(seconds: 1, units: Double(try many.store().process.residentBytes) / 1e6)
      },
      ceiling: (
        "empty store",
        {
          let store = ServedStore("empty")
          return Pass(seconds: 1, units: Double(store.process.residentBytes) / 1e6)
        }
      ),
      passes: 1, note: { "after a start" }, cleanUp: { many.drop() }),
  ]
}

private func startRow(
  _ name: String, goal: String, passes: Int? = nil, _ run: @escaping () throws -> Double
) -> Row {
  Row(
    name: "serve: exec to ready, \(name)", unit: "ms", goal: goal,
    ours: { Pass(seconds: 1, units: try run() * 1000) },
    ceiling: (
      "mkstore --version",
      {
        let start = nowNs()
        var child = pid_t()
        var words: [UnsafeMutablePointer<CChar>?] = [strdup("mkstore"), strdup("--version"), nil]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        let code = posix_spawn(
          &child, "\(ServerProcess.products)/mkstore", &actions, nil, &words, environ)
        precondition(code == 0)
        var status: Int32 = 0
        waitpid(child, &status, 0)
        posix_spawn_file_actions_destroy(&actions)
        for word in words { free(word) }
        return Pass(seconds: 1, units: Double(nowNs() - start) / 1e6)
      }
    ),
    passes: passes, note: { "" })
}

/// A store with ten thousand logs, each with records.
final class ManyPartitions {
  let count: Int
  private var served: ServedStore?

  /// How many are written to in one life of the server: each then holds two descriptors.
  private var activeMax: Int { count / 2 }

  init(_ scale: Scale) { count = scale.isTiny ? 50 : 10_000 }

  func store() throws -> ServedStore {
    if let served { return served }
    let made = ServedStore("many", durability: "os")
    served = made
    for topic in ["first", "second"] {
      BrokerAddress(port: made.port).makeTopic(topic, partitions: activeMax)
      try produceToEach(of: topic)
      made.restart(SIGTERM)
    }
    return made
  }

  /// Produces a batch to each partition of one half.
  func produceToEach(of topic: String) throws {
    let source = ProduceSource(
      topic, partitions: activeMax, batch: try batch(records: 10, valueBytes: 90))
    let load = LoadClient(port: served!.port, connections: 1, window: 64, source: source)
    let result = load.run(activeMax)
    precondition(result.errors == 0, "\(result.errors) batches were refused")
  }

  func drop() { served = nil }
}

/// What idle connections cost.
func serveMemoryRows(_ scale: Scale) -> [Row] {
  let count = scale.isTiny ? 20 : 1000
  return [
    Row(
      name: "serve: resident memory, \(count) idle connections", unit: "MB", goal: "",
      ours: {
        let store = ServedStore("idle")
        let address = BrokerAddress(port: store.port)
        address.makeTopic("bench", partitions: 1)
        let bytes = try sixteenKiBBatch()
        address.warm("bench", partitions: 1, batch: bytes)
        let before = store.process.residentBytes
        // Each has produced and fetched before it goes idle.
        let head = KafkaFrames.produce("bench", 0, acks: -1, batchBytes: bytes.count)
        let fetch = KafkaFrames.fetch("bench", 0, maxBytes: 1 << 20).frame
        let sockets = (0..<count).map { _ in ClientSocket(store.port) }
        for socket in sockets {
          socket.send(head, bytes)
          _ = socket.receive()
          socket.send(fetch)
          _ = socket.receive()
        }
        idleBytes = (store.process.residentBytes - before) / count
        return Pass(seconds: 1, units: Double(store.process.residentBytes) / 1e6)
      },
      ceiling: nil, passes: 1,
      note: { "\(format(Double(idleBytes) / 1000)) kB a connection beyond the first" })
  ]
}

nonisolated(unsafe) private var idleBytes = 0
