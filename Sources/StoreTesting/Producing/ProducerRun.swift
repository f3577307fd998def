import DiskIO
import Glibc
import LogStore
package import Logging
import RecordFormat

/// One random run of idempotent producers against a store on a failing disk: failing writes and
/// syncs, a full disk, missing descriptors, closed connections, reopened logs, kills and power
/// cuts. At the end each record is in the log exactly once and in order.
///
/// The same for the same seed. `ProducerClient` is the model of the clients; the server's part (its
/// answers, and that it opens failed logs again) is modelled here over the real engine. One thread.
package final class ProducerRun {
  /// The result of a run.
  package struct Outcome: Sendable {
    package var counts = ProducerRunCounts()
    /// What is wrong; nil if everything is right.
    package var fault: String?
  }

  private static let path = "/data"
  private static let stepsMax = 260
  private static let drainStepsMax = 20_000

  var generator: SeededGenerator
  var disk: SimulatedDisk
  private(set) var store: Store
  /// The log that processes requests; for a while it may be one that has failed and was opened
  /// again.
  private(set) var log: Log
  private(set) var clients: [ProducerClient] = []
  private var connections: [ProducerConnection] = []
  /// Requests of closed connections, still to be processed.
  private var stragglers: [[(client: Int, batch: ProducerClient.Batch)]] = []
  var counts = ProducerRunCounts()
  /// Called with each step, for debugging.
  let trace: (String) -> Void
  private let logger: Logger
  /// A directory's sync failed, after which a simulated power cut may lose names permanently.
  var mayLoseNames = false
  private let topicPartition: TopicPartition
  private let config: StoreConfig

  /// Plays the run of `seed`.
  ///
  /// - Parameters:
  ///   - logger: The engine's logger; nil: silent.
  ///   - trace: Called with each step.
  package static func play(
    _ seed: Seed, logger: Logger? = nil, trace: @escaping (String) -> Void = { _ in }
  ) -> Outcome {
    var outcome = Outcome()
    do {
      let run = try ProducerRun(seed, logger ?? .quiet, trace)
      outcome.fault = try run.play()
      outcome.counts = run.counts
    } catch {
      outcome.fault = "\(error)"
    }
    return outcome
  }

  private init(_ seed: Seed, _ logger: Logger, _ trace: @escaping (String) -> Void) throws {
    self.logger = logger
    self.trace = trace
    generator = seed.generator
    disk = SimulatedDisk(seed: generator.next())
    topicPartition = try TopicPartition(topic: "t", partition: 0)
    var config = StoreConfig()
    config.createsStore = true
    config.startsFlusher = false
    config.fetcherCores = []
    config.nowMs = { 1_700_000_000_000 }
    config.log.segmentBytes = [400, 900, 4_000].randomElement(using: &generator)!
    config.log.segmentIndexBytes = 16_384
    config.log.indexIntervalBytes = [0, 200, 4_096].randomElement(using: &generator)!
    self.config = config
    store = try Store.openBlocking(Self.path, config: config, disk: disk, logger: logger)
    log = try store.createLogBlocking(topicPartition)
    for index in 0..<1 + generator.index(below: 3) {
      clients.append(
        ProducerClient(
          producerId: Int64(100 + index), recordCount: 5 + generator.index(below: 40),
          habit: ProducerClient.Habit.allCases.randomElement(using: &generator)!,
          // A producer unknown to the log may begin at any sequence, even just before the
          // wrap-around.
          firstSequence: [0, 0, 7, Int32.max - 9].randomElement(using: &generator)!))
      connections.append(ProducerConnection())
    }
  }

  private func play() throws -> String? {
    for _ in 0..<Self.stepsMax where clients.contains(where: { !$0.isDone }) {
      if generator.chance(0.09) { try disturb() } else { work() }
    }
    disk.mend()
    for _ in 0..<Self.drainStepsMax where clients.contains(where: { !$0.isDone }) {
      work()
      reopen()
      takeUpLog()
    }
    reopen()
    for client in clients where !client.isDone { return "stuck: \(client)" }
    if let fault = try check() { return fault }
    try restart(.kill)
    return try check()
  }

  // MARK: Work

  /// One step of the normal work of clients and a server.
  private func work() {
    let index = generator.index(below: clients.count)
    switch generator.index(below: 10) {
    case 0...2:
      if let batch = clients[index].send(recordsMax: 1 + generator.index(below: 3)) {
        connections[index].requests.append(batch)
      }
    case 3...5:
      guard !connections[index].requests.isEmpty else { return }
      let batch = connections[index].requests.removeFirst()
      connections[index].replies.append(carryOut(batch, of: index))
    case 6: carryOutStraggler()
    case 7: store.context.flusher.step(waiting: false)
    default:
      guard let answer = connections[index].replies.first?.known else { return }
      connections[index].replies.removeFirst()
      trace("\(clients[index].producerId) is told \(answer)")
      clients[index].receive(answer)
    }
  }

  private func carryOutStraggler() {
    guard !stragglers.isEmpty else { return }
    let index = generator.index(below: stragglers.count)
    let (client, batch) = stragglers[index].removeFirst()
    if stragglers[index].isEmpty { stragglers.remove(at: index) }
    _ = carryOut(batch, of: client)
    counts[.straggler] += 1
  }

  /// The server's processing of a produce request.
  private func carryOut(_ batch: ProducerClient.Batch, of client: Int)
    -> ProducerConnection.Reply
  {
    let reply = ProducerConnection.Reply(nil)
    do throws(LogError) {
      if !(log.writing?.appender.isReady(byteCount: 200) ?? true) { prepare() }
      var bytes = Self.encode(batch, of: clients[client].producerId)
      var span = bytes.mutableSpan
      let result = try log.writeBlocking(batch: &span)
      trace("\(clients[client].producerId) \(batch): \(result)")
      counts[result.isDuplicate ? .duplicate : .appended] += 1
      log.onDurable(result.lastOffset + 1) { outcome in
        switch outcome {
        case .success: reply.settle(.acknowledged(result.baseOffset))
        case .failure: reply.settle(.again)
        }
      }
    } catch {
      trace("\(clients[client].producerId) \(batch): \(error)")
      reply.settle(answer(error))
    }
    return reply
  }

  /// As the server's preparing thread, which reports no failure: the append meets the same one.
  private func prepare() {
    do throws(LogError) { try log.writing?.appender.prepare(byteCount: 200) } catch { note(error) }
  }

  private func answer(_ error: LogError) -> ProducerClient.Answer {
    switch error.kind {
    case .outOfOrderSequence, .invalidProducerEpoch: return .outOfOrder
    case .earlierBatchRefused: counts[.earlierRefused] += 1
    default: note(error)
    }
    return .again
  }

  private func note(_ error: LogError) {
    switch error.kind {
    case .poisoned: counts[.failedLog] += 1
    case .diskFull: counts[.diskFull] += 1
    case .disk(let cause) where cause.isShortage: counts[.shortage] += 1
    default: break
    }
  }

  private static func encode(_ batch: ProducerClient.Batch, of producerId: Int64) -> [UInt8] {
    var builder = RecordBatchBuilder()
    do throws(BatchError) {
      for record in batch.records {
        _ = try builder.append(
          timestamp: 1_700_000_000_000, key: nil, value: Array("\(producerId) \(record)".utf8))
      }
      let sealed = try builder.finish(
        BatchOptions(
          producerId: producerId, producerEpoch: batch.epoch, baseSequence: batch.sequence))
      return sealed.indices.map { sealed[$0] }
    } catch {
      preconditionFailure("\(error)")
    }
  }

  // MARK: Failures

  /// Opens the log again if it has failed, as the server's thread for it does.
  func reopen() {
    guard let failed = store.log(topicPartition), failed.health.isFailed else { return }
    let isSync = failed.health.cause?.isOfSync ?? false
    do throws(LogError) {
      _ = try store.reopenLogBlocking(topicPartition)
      trace("reopened; it had failed of \(failed.health.cause as Any)")
      counts[.reopened] += 1
      counts[isSync ? .failedSync : .failedWrite] += 1
    } catch {
      trace("not reopened: \(error)")
      counts[.notReopened] += 1
    }
  }

  /// Processes requests with the reopened log from now on.
  func takeUpLog() {
    guard let found = store.log(topicPartition), found !== log else { return }
    log = found
    trace("the log that is used is the reopened one, which ends at \(log.logEndOffset)")
  }

  /// Closes a client's connection. Its requests may still be processed, at any time.
  func disconnect(_ index: Int) {
    let requests = connections[index].requests.map { (client: index, batch: $0) }
    if !requests.isEmpty, generator.chance(0.7) { stragglers.append(requests) }
    connections[index] = ProducerConnection()
    clients[index].disconnect()
    counts[.disconnected] += 1
    trace("\(clients[index].producerId) is disconnected, with \(requests) under way")
  }

  /// How a session ends.
  enum End { case kill, powerCut, close }

  /// The server ends, and another one begins.
  func restart(_ end: End) throws {
    switch end {
    case .kill:
      disk = disk.kill()
      counts[.killed] += 1
    case .powerCut:
      disk = disk.crash(.random(seed: generator.next()))
      counts[.powerCut] += 1
    case .close:
      // What it cannot make durable is recovered.
      do throws(LogError) { try store.closeBlocking() } catch { disk = disk.kill() }
      counts[.closed] += 1
    }
    disk.mend()
    stragglers = []
    for index in clients.indices {
      connections[index] = ProducerConnection()
      clients[index].disconnect()
    }
    store = try Store.openBlocking(Self.path, config: config, disk: disk, logger: logger)
    guard let found = store.log(topicPartition) else {
      throw LogError.notFound(path: "\(store.report.failed)")
    }
    log = found
    trace("restarted after \(end): \(log.recovery)")
  }

  // MARK: Checking

  /// What is wrong with the log's records, compared with the clients' answers.
  private func check() throws -> String? {
    guard let log = store.log(topicPartition) else { return "the log is gone" }
    if !log.damagedRanges.isEmpty { return "damage: \(log.damagedRanges)" }
    let values = try Self.values(log)
    for client in clients {
      let prefix = "\(client.producerId) "
      let mine = values.filter { $0.hasPrefix(prefix) }
      let wanted = (0..<client.recordCount).map { "\(prefix)\($0)" }
      if mine != wanted { return "in the log: \(mine); \(client)" }
      for (record, offset) in client.acknowledged where values[Int(offset)] != wanted[record] {
        return "record \(record) was acknowledged at \(offset), where \(values[Int(offset)]) is"
      }
      if client.epochsRaised > 0 { return "the epoch was raised: \(client)" }
    }
    return nil
  }

  private static func values(_ log: Log) throws(LogError) -> [String] {
    let reader = LogReader(log)
    var values: [String] = []
    var offset = log.logStartOffset
    while offset < log.logEndOffset {
      offset = try reader.forEachRecord(from: offset, limit: .logEnd) { record in
        var bytes: [UInt8] = []
        if let value = record.value { for index in value.indices { bytes.append(value[index]) } }
        values.append(String(decoding: bytes, as: UTF8.self))
        return true
      }
    }
    return values
  }
}

extension Logger {
  /// Silent.
  static var quiet: Logger { Logger(label: "run", factory: { _ in SwiftLogNoOpLogHandler() }) }
}

extension DiskError {
  /// Whether something may not have become durable.
  var isOfSync: Bool {
    switch operation {
    case .sync, .syncDirectory, .writeOut, .checkWritten, .syncFileSystem: true
    default: false
    }
  }
}
