import DiskIO
import Foundation
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// Producer states and transactions of logs that Kafka wrote, rebuilt from their batches.
struct ProducerVectorTests {
  /// A partition's directory.
  struct Directory: CustomTestStringConvertible {
    var path: String
    var names: [SegmentName]

    var testDescription: String { path.split(separator: "/").suffix(2).joined(separator: "/") }

    func path(_ offset: Int64, _ kind: SegmentName.Kind) -> String {
      "\(path)/\(SegmentName(offset, kind).fileName)"
    }

    func offsets(_ kind: SegmentName.Kind) -> [Int64] {
      names.filter { $0.kind == kind }.map(\.baseOffset).sorted()
    }
  }

  /// Every partition that Kafka left whole.
  static var directories: [Directory] {
    get throws {
      var found: [Directory] = []
      for folder in SharedVectors.kafkaDirectories where !folder.contains("unclean-bit") {
        for name in try SharedVectors.names(in: folder) where name.hasSuffix("-0") {
          let path = "\(folder)/\(name)"
          found.append(
            Directory(
              path: path, names: try SharedVectors.names(in: path).compactMap { SegmentName($0) }))
        }
      }
      return found
    }
  }

  /// Feeds all batches below `end`.
  private func replay(_ directory: Directory, below end: Int64) throws -> ProducerReplay {
    let bases = directory.offsets(.log)
    let replay = ProducerReplay(ProducerState(endOffset: bases[0], expirationMs: Int64.max))
    for (index, base) in bases.enumerated() {
      let file = try PosixDisk().open(directory.path(base, .log), .read)
      let limit = index + 1 < bases.count ? bases[index + 1] : base + Int64(Int32.max)
      var scanner = SegmentScanner(
        file, endPosition: try file.size(), expectedOffset: base, offsetLimit: limit)
      var isDone = false
      while !isDone {
        let event = try scanner.next { (header, bytes) throws(BatchError) in
          if header.baseOffset < end { replay.take(header, bytes, activeMs: 0) }
        }
        if case .batch = event { continue }
        isDone = true
      }
    }
    return replay
  }

  @Test func statesRebuiltFromTheLogAreKafkasSnapshots() throws {
    var compared = 0
    var same = 0
    for directory in try Self.directories {
      // What batches said that were deleted or cleaned away since, no scan can know.
      if directory.offsets(.log)[0] > 0 || directory.path.contains("compacted") { continue }
      for offset in directory.offsets(.snapshot) {
        let bytes = try SharedVectors.bytes(directory.path(offset, .snapshot))
        let kafka = try ProducerSnapshot(bytes, path: "snapshot")
        let ours = try replay(directory, below: offset).state.snapshot
        #expect(
          ours.producers == kafka.producers.sorted { $0.producerId < $1.producerId },
          "\(directory.testDescription) \(offset)")
        compared += kafka.producers.count
        // The order in the file is that of Java's hash map; with one producer there is only one.
        if kafka.producers.count < 2 {
          #expect(ours.encoded == bytes, "\(directory.testDescription) \(offset)")
          same += 1
        }
      }
    }
    // The fixtures are fewer than the whole of ../shared.
    let producersMin = SharedVectors.shared == nil ? 10 : 20
    #expect(compared >= producersMin && same >= 10, "\(compared) producers, \(same) files")
  }

  @Test func abortedTransactionsFoundInTheLogAreKafkasIndex() throws {
    var count = 0
    for directory in try Self.directories where !directory.offsets(.txnindex).isEmpty {
      let found = try replay(directory, below: Int64.max).aborted
      var indexed: [AbortedTransaction] = []
      for base in directory.offsets(.txnindex) {
        let bytes = try SharedVectors.bytes(directory.path(base, .txnindex))
        indexed += try AbortedTransaction.decode(
          bytes.span, baseOffset: base, path: "txnindex")
      }
      #expect(found == indexed, "\(directory.testDescription)")
      count += indexed.count
    }
    #expect(count > 3)
  }

  // MARK: Through the log

  /// What stands in the place of a file.
  private enum Content {
    case asItIs, missing
    case bytes([UInt8])
  }

  /// The directory on a simulated disk as the store's one log, with files left out or replaced.
  private func store(
    _ directory: Directory, replacing: (SegmentName) throws -> Content = { _ in .asItIs }
  ) throws -> (Store, Log) {
    let disk = SimulatedDisk(seed: 1)
    for name in directory.names {
      let path = "/data/a-0/\(name.fileName)"
      switch try replacing(name) {
      case .missing: continue
      case .bytes(let other): try disk.install(path, other)
      case .asItIs:
        try disk.install(path, SharedVectors.bytes("\(directory.path)/\(name.fileName)"))
      }
    }
    try disk.install("/data/\(CleanShutdownFile.name)", [])
    let (store, log) = try ProducerFixture.open(disk, segmentBytes: 1 << 20)
    return (store, log)
  }

  /// Whatever snapshots are missing or torn, the state is the same.
  @Test func theStateDoesNotDependOnWhichSnapshotsCanBeRead() throws {
    let directory = try #require(Self.directories.first { $0.path.contains("txn-commit-abort") })
    let newest = try #require(directory.offsets(.snapshot).last)
    let kafka = try ProducerSnapshot(
      SharedVectors.bytes(directory.path(newest, .snapshot)), path: "snapshot")
    let expected = kafka.producers.sorted { $0.producerId < $1.producerId }
    let offsets = directory.offsets(.snapshot)
    for missing in 0..<(1 << offsets.count) {
      let (_, log) = try store(directory) { name in
        guard name.kind == .snapshot, let index = offsets.firstIndex(of: name.baseOffset),
          missing >> index & 1 == 1
        else { return .asItIs }
        return index % 2 == 0 ? .missing : .bytes([0, 1, 2, 3])
      }
      let state = try ProducerFixture.state(log)
      #expect(state.snapshot.producers == expected, "\(missing)")
      #expect(try log.lastStableOffset == log.logEndOffset)
    }
  }

  /// A batch or marker as records.jsonl tells it.
  private struct Line {
    var baseOffset: Int64
    var end: Int
    var producerId: Int64
    var isTransactional: Bool
    var isControl: Bool
    var isAbort = false
    var file: String
  }

  /// Headers of a directory, by Kafka's own reader.
  private func lines(_ directory: Directory) throws -> [Line] {
    let folder = directory.path.split(separator: "/").dropLast().joined(separator: "/")
    let text = String(
      decoding: try SharedVectors.bytes("/\(folder)/records.jsonl"), as: UTF8.self)
    var lines: [Line] = []
    for line in text.split(separator: "\n") {
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      let fields = try #require(object)
      if let file = fields["file"] as? String, let base = fields["baseOffset"] as? Int64,
        let position = fields["position"] as? Int, let size = fields["size"] as? Int,
        let producerId = fields["producerId"] as? Int64
      {
        lines.append(
          Line(
            baseOffset: base, end: position + size, producerId: producerId,
            isTransactional: fields["transactional"] as? Bool ?? false,
            isControl: fields["control"] as? Bool ?? false, file: file))
      } else if let type = fields["controlType"] as? String {
        lines[lines.count - 1].isAbort = type.uppercased() == "ABORT"
      }
    }
    return lines
  }

  @Test func stableOffsetsAreTrueWhereverTheLogEnds() throws {
    let directory = try #require(Self.directories.first { $0.path.contains("txn-commit-abort") })
    let lines = try lines(directory)
    #expect(lines.contains { $0.isAbort } && lines.contains { $0.isControl && !$0.isAbort })
    var open: [Int64: Int64] = [:]
    var aborted: [AbortedTransaction] = []
    var heldBack = 0
    for (index, line) in lines.enumerated() {
      let next = index + 1 < lines.count ? lines[index + 1].baseOffset : nil
      if line.isControl {
        let first = open.removeValue(forKey: line.producerId)
        if let first, line.isAbort {
          aborted.append(
            AbortedTransaction(
              producerId: line.producerId, firstOffset: first, lastOffset: line.baseOffset,
              lastStableOffset: open.values.min() ?? line.baseOffset + 1))
        }
      } else if line.isTransactional, open[line.producerId] == nil {
        open[line.producerId] = line.baseOffset
      }
      guard let next, index % 3 == 0 else { continue }
      // The log as if it ended here; what Kafka's files say beyond is not believed.
      let base = try #require(SegmentName(line.file)).baseOffset
      let (_, log) = try store(directory) { name in
        if name.kind == .log, name.baseOffset == base {
          let bytes = try SharedVectors.bytes(directory.path(base, .log))
          return .bytes(Array(bytes.prefix(line.end)))
        }
        return name.kind != .snapshot && name.baseOffset > base ? .missing : .asItIs
      }
      #expect(log.logEndOffset == next)
      let stable = open.values.min() ?? next
      #expect(try log.lastStableOffset == stable, "end \(next)")
      if stable < next { heldBack += 1 }
      #expect(try log.abortedTransactions(from: 0, to: next) == aborted, "end \(next)")
      for offset in stride(from: 0, to: next, by: 37) {
        let needed = try log.abortedTransactions(from: offset, to: offset + 20)
        let expected = aborted.filter { $0.lastOffset >= offset && $0.firstOffset < offset + 20 }
        #expect(expected.allSatisfy(needed.contains), "from \(offset) of \(next)")
        #expect(needed.allSatisfy(expected.contains), "from \(offset) of \(next)")
      }
    }
    #expect(heldBack > 3)
  }

  @Test func aReaderOfABrokersDirectorySeesTheSame() throws {
    let directory = try #require(Self.directories.first { $0.path.contains("txn-commit-abort") })
    let (_, whole) = try store(directory)
    let log = try Log.openReadOnlyBlocking(directory.path, logger: .silent)
    #expect(try log.lastStableOffset == whole.logEndOffset)
    let end = whole.logEndOffset
    let expected = try whole.abortedTransactions(from: 0, to: end)
    #expect(try log.abortedTransactions(from: 0, to: end) == expected)
    #expect(try log.refresh() == false)
    #expect(try log.abortedTransactions(from: 0, to: end) == expected)
  }

  @Test func aTornTransactionIndexIsDerivedFromTheLog() throws {
    let directory = try #require(Self.directories.first { $0.path.contains("txn-commit-abort") })
    let (_, whole) = try store(directory)
    let (_, torn) = try store(directory) { name in
      name.kind == .txnindex ? .bytes([1, 2, 3]) : .asItIs
    }
    let end = whole.logEndOffset
    let expected = try whole.abortedTransactions(from: 0, to: end)
    #expect(expected.count > 2)
    #expect(try torn.abortedTransactions(from: 0, to: end) == expected)
  }
}
