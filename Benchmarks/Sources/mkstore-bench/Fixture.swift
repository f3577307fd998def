import DiskIO
import Glibc
import LogStore
import Logging
import RecordFormat

/// A store in a directory of its own, removed afterwards.
final class Fixture {
  let path: String
  let store: Store
  let log: Log

  init(
    _ name: String, durability: Durability = .operatingSystem, segmentBytes: Int = 1 << 30,
    compression: Compression = .none, mapsIndexes: Bool = true
  ) throws {
    path = "\(benchDirectory)/\(name)-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    var config = StoreConfig()
    config.mapsIndexes = mapsIndexes
    config.log.durability = durability
    config.log.segmentBytes = segmentBytes
    config.log.compression = compression
    store = try Store.openBlocking(path, .createIfMissing, config: config)
    log = try store.createLogBlocking(TopicPartition(topic: "bench", partition: 0))
  }

  func remove() throws {
    try store.closeBlocking()
    removeTree(path)
  }
}

/// Where the files go: the file system that is measured.
let benchDirectory = CommandLine.arguments.dropFirst().first { !$0.hasPrefix("-") } ?? "/tmp"

/// Makes it where it is missing; its parent must be there.
func makeBenchDirectory() throws {
  let disk = PosixDisk()
  if try disk.status(benchDirectory) == nil { try disk.makeDirectory(benchDirectory) }
}

func removeTree(_ path: String) {
  let disk = PosixDisk()
  guard let names = try? disk.list(path) else { return }
  for entry in names {
    let child = "\(path)/\(entry.name)"
    if entry.kind == .directory { removeTree(child) } else { try? disk.remove(child) }
  }
  try? disk.removeDirectory(path)
}

/// A file for a ceiling.
final class BareFile {
  let path: String
  let descriptor: Int32

  init(_ name: String) {
    path = "\(benchDirectory)/\(name)-bare-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
    precondition(descriptor >= 0, "open \(path): \(errno)")
  }

  deinit {
    close(descriptor)
    unlink(path)
  }

  @inline(__always)
  func write(_ bytes: [UInt8], at position: Int) {
    let written = bytes.withUnsafeBytes {
      pwrite(descriptor, $0.baseAddress, $0.count, off_t(position))
    }
    precondition(written == bytes.count, "pwrite: \(errno)")
  }
}

/// A sealed batch of `count` records with values of `valueBytes` bytes.
func batch(records count: Int, valueBytes: Int) throws -> [UInt8] {
  var builder = RecordBatchBuilder()
  let value = [UInt8](repeating: 0x61, count: valueBytes)
  for index in 0..<count {
    _ = try builder.append(timestamp: 1_700_000_000_000 + Int64(index), key: nil, value: value)
  }
  let sealed = try builder.finish()
  var bytes: [UInt8] = []
  bytes.reserveCapacity(sealed.count)
  for index in sealed.indices { bytes.append(sealed[index]) }
  return bytes
}
