import DiskIO
import Glibc
import Logging
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// One store with one log on a simulated disk, without threads and clocks: what the crash and fault
/// tests run their scenarios on.
struct CrashStore {
  static let path = "/data"
  static let directory = "/data/t-0"
  static let nowMs: Int64 = 1_700_000_000_000

  let disk: SimulatedDisk
  let manager: Store
  let log: Log

  /// Small segments and an index entry for nearly every batch, so that a short run meets it all.
  static func config(
    segmentBytes: Int = 1000, durability: Durability = .flushed, indexIntervalBytes: Int = 100,
    segmentIndexBytes: Int = 16_384
  ) -> StoreConfig {
    var config = StoreConfig()
    config.createsStore = true
    config.startsFlusher = false
    config.fetcherCores = []
    config.loaderThreads = 1
    config.nowMs = { nowMs }
    config.log.segmentBytes = segmentBytes
    config.log.durability = durability
    config.log.indexIntervalBytes = indexIntervalBytes
    config.log.segmentIndexBytes = segmentIndexBytes
    return config
  }

  /// Opens the store and its log, making both where they are missing.
  init(_ disk: SimulatedDisk, _ config: StoreConfig, creates: Bool = true) throws {
    self.disk = disk
    manager = try Store.openBlocking(Self.path, config: config, disk: disk, logger: .silent)
    if let failed = manager.report.failed.first { throw failed.error }
    let topicPartition = try TopicPartition(topic: "t", partition: 0)
    if let log = manager.log(topicPartition) {
      self.log = log
    } else if creates {
      log = try manager.createLogBlocking(topicPartition)
    } else {
      throw LogError.notFound(path: Self.directory)
    }
  }

  /// Appends one batch as `config.durability` says and notes in `model` how it went.
  func append(_ batch: [UInt8], _ model: inout LogModel) throws {
    var bytes = batch
    do {
      let result = try log.appendBlocking(batch: &bytes)
      model.note(
        bytes, result.isDurable ? .durable(result.baseOffset) : .written(result.baseOffset))
      if result.isDurable { model.noteFlushed(below: result.lastOffset + 1) }
    } catch {
      model.note(batch, .unknown)
      throw error
    }
  }

  /// Appends one batch; the error as a value.
  func tryAppend(_ batch: [UInt8]) -> Result<AppendResult, LogError> {
    var bytes = batch
    do throws(LogError) {
      return .success(try log.appendBlocking(batch: &bytes))
    } catch {
      return .failure(error)
    }
  }

  /// Makes everything appended durable and notes it.
  func flush(_ model: inout LogModel) throws {
    try log.flushBlocking()
    model.noteFlushed(below: log.logEndOffset)
  }
}

/// Ready batches, each with content of its own, made once: encoding is dear in a debug build.
enum SampleBatches {
  /// About 80 … 290 bytes each.
  static let small: [[UInt8]] = (0..<64).map {
    make($0, records: 1 + $0 % 3, valueBytes: 10 + $0 % 50)
  }
  /// Of several sectors each.
  static let large: [[UInt8]] = (0..<8).map {
    make(100 + $0, records: 2, valueBytes: 700 + 40 * $0)
  }

  /// A batch whose bytes differ from those of every other `number`.
  static func make(
    _ number: Int, records: Int, valueBytes: Int, timestamp: Int64? = nil
  ) -> [UInt8] {
    sealed(
      (0..<records).map { index in
        var generator = SeededGenerator(seed: UInt64(number * 100 + index))
        let time = timestamp ?? CrashStore.nowMs + Int64(number * 10 + index)
        return (time, generator.bytes(valueBytes))
      })
  }

  /// One batch of records with these times and values.
  static func sealed(_ records: [(timestamp: Int64, value: [UInt8])]) -> [UInt8] {
    var builder = RecordBatchBuilder()
    do {
      for record in records {
        _ = try builder.append(timestamp: record.timestamp, key: nil, value: record.value)
      }
      let sealed = try builder.finish()
      var bytes: [UInt8] = []
      bytes.reserveCapacity(sealed.count)
      for index in sealed.indices { bytes.append(sealed[index]) }
      return bytes
    } catch {
      preconditionFailure("a sample batch: \(error)")
    }
  }

  /// The batch as it stands at an offset.
  static func placed(_ batch: [UInt8], at offset: Int64, epoch: Int32 = 0) -> [UInt8] {
    var bytes = batch
    place(&bytes, offset, epoch)
    return bytes
  }

  private static func place(_ bytes: inout [UInt8], _ offset: Int64, _ epoch: Int32) {
    var span = bytes.mutableSpan
    assignOffset(&span, baseOffset: offset, leaderEpoch: epoch)
  }
}

/// A number from the environment, for long runs.
func environmentNumber(_ name: String) -> Int? {
  // Safe: the string is copied before anything can change the environment.
  unsafe getenv(name).flatMap { Int(unsafe String(cString: $0)) }
}

extension Logger {
  /// Says nothing: a crash test makes the engine complain ten thousand times.
  static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}
