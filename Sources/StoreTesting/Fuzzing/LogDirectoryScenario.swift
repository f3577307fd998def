import DiskIO
import LogStore
import Logging
import RecordFormat

/// Opens a directory of arbitrary bytes in every possible way, and checks the engine's promises for
/// any bytes: no trap, no endless loop, no byte returned with a wrong CRC, and everything that a
/// writable log once returned stays, through close, kill and power cut.
///
/// ```swift
/// LogDirectoryScenario.run(input.span)
/// ```
///
/// Run by the fuzz target and, over the corpus, by a test.
public enum LogDirectoryScenario {
  private static let silent = Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }

  /// Runs it over one input; traps if a promise is broken.
  public static func run(_ input: Span<UInt8>) {
    guard input.count > 0, input.count <= 1 << 16 else { return }
    let parsed = LogDirectoryInput(input)
    do throws(DiskError) {
      let disk = try parsed.disk()
      readOnly(disk)
      verify(disk)
      write(disk, parsed.flags)
    } catch {
      // A name in the input is below a file.
      return
    }
  }

  private static func readOnly(_ disk: SimulatedDisk) {
    let before = disk.operationCount
    do throws(LogError) {
      let log = try Log.openReadOnlyBlocking(LogDirectoryInput.log, disk: disk, logger: silent)
      let served = ServedLog(log)
      seek(log, served)
      let again = try Log.openReadOnlyBlocking(LogDirectoryInput.log, disk: disk, logger: silent)
      require(ServedLog(again) == served, "two readers see two logs")
    } catch {
      fatalError("a directory that is there opens for reading: \(error)")
    }
    require(disk.operationCount == before, "reading changed the disk")
  }

  private static func verify(_ disk: SimulatedDisk) {
    var options = VerificationOptions()
    options.threadCount = 1
    do throws(DiskError) {
      let report = try LogVerifier(disk, options).verify([LogDirectoryInput.log])
      // A directory without a segment is examined as a store.
      require(report.logs.count <= 1, "\(report)")
    } catch {
      fatalError("verify reports what it finds, it does not fail: \(error)")
    }
  }

  private static func write(_ disk: SimulatedDisk, _ flags: UInt8) {
    guard let store = open(disk, flags) else { return }
    guard let log = store.logs.first else {
      return close(store)
    }
    var served = ServedLog(log)
    seek(log, served)
    let end = log.logEndOffset
    append(3, to: log)
    let more = ServedLog(log)
    require(more.batches.starts(with: served.batches), "an append changed what stood before")
    require(
      more.batches.count == served.batches.count + 3,
      "appended at \(end): \(served.difference(from: more)); \(log.recovery)")
    served = more
    switch flags >> 4 & 3 {
    case 0:
      close(store)
      check(disk, served, flags)
    case 1: check(disk.kill(), served, flags)
    case 2: check(disk.crash(seed: UInt64(flags)), served, flags)
    default: check(disk.crash(.loseAllUnsynced), served, flags)
    }
  }

  /// Opens the disk after an event: everything that was returned and acknowledged is still there.
  private static func check(_ disk: SimulatedDisk, _ served: ServedLog, _ flags: UInt8) {
    guard let store = open(disk, flags), let log = store.logs.first else {
      fatalError("a log that was open does not open again")
    }
    let again = ServedLog(log)
    require(
      again.batches == served.batches, "\(served.difference(from: again)); \(log.recovery)")
    append(1, to: log)
    close(store)
  }

  private static func open(_ disk: SimulatedDisk, _ flags: UInt8) -> Store? {
    var config = StoreConfig()
    config.createsStore = true
    config.startsFlusher = false
    config.loaderThreads = 1
    config.fetcherCores = []
    config.log.segmentIndexBytes = 4096
    if flags & 2 != 0 { config.log.segmentBytes = 1024 }
    if flags & 4 != 0 { config.log.indexIntervalBytes = 0 }
    do throws(LogError) {
      return try Store.openBlocking(
        LogDirectoryInput.store, config: config, disk: disk, logger: silent)
    } catch {
      fatalError("a store opens whatever its logs hold: \(error)")
    }
  }

  private static func close(_ store: Store) {
    do throws(LogError) {
      try store.closeBlocking()
    } catch {
      fatalError("\(error)")
    }
  }

  private static func append(_ count: Int, to log: Log) {
    for index in 0..<count {
      let record = Record(
        offset: 0, timestamp: 1_700_000_000_000 + Int64(index), key: nil,
        value: [UInt8](repeating: 0x61, count: 40 + index))
      do throws(LogError) {
        let end = log.logEndOffset
        let result = try log.appendBlocking([NewRecord(record)])
        require(result.baseOffset == end && result.isDurable)
      } catch {
        fatalError("a log that opened takes records: \(error)")
      }
    }
  }

  /// Look-ups from scratch return what the walk from the start returned (indexes decide nothing,
  /// P3).
  private static func seek(_ log: Log, _ served: ServedLog) {
    var offsets = [log.logStartOffset, log.logEndOffset]
    for batch in served.batches.suffix(4) { offsets += [batch.baseOffset, batch.nextOffset - 1] }
    for batch in served.batches.prefix(4) { offsets.append(batch.nextOffset) }
    for offset in offsets where offset >= log.logStartOffset && offset < log.logEndOffset {
      guard let expected = served.first(at: offset) else { continue }
      do throws(LogError) {
        let found = try LogReader(log).read(from: offset, maxBytes: 1, limit: .logEnd)
        require(found?.baseOffset == expected.baseOffset, "a look-up of \(offset)")
      } catch {
        fatalError("a look-up of \(offset): \(error)")
      }
    }
  }
}
