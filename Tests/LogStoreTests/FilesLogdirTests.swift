import DiskIO
import LogStore
import Testing

/// Index files, snapshots and transaction indexes that Kafka wrote decode to what its dump tool
/// says.
struct FilesLogdirTests {
  @Test func indexEntriesAreAsKafkaDumpsThem() throws {
    var count = 0
    for log in try LogdirManifest.all() {
      for (fileName, file) in log.files {
        guard let name = SegmentName(fileName), case .pairs(let pairs)? = file.entries else {
          continue
        }
        let bytes = try SharedVectors.bytes("\(log.directory)/\(fileName)")
        switch name.kind {
        case .index:
          let content = IndexContent<OffsetIndexEntry>(bytes.span, baseOffset: name.baseOffset)
          #expect(content.entries.map { [$0.offset, Int64($0.position)] } == pairs, "\(fileName)")
          #expect(content.zeroTailBytes == bytes.count - 8 * pairs.count)
          #expect(content.strayBytes == 0)
        case .timeindex:
          let content = IndexContent<TimeIndexEntry>(bytes.span, baseOffset: name.baseOffset)
          #expect(content.entries.map { [$0.timestamp, $0.offset] } == pairs, "\(fileName)")
          #expect(content.zeroTailBytes == bytes.count - 12 * pairs.count)
        default: Issue.record("\(fileName) has entries")
        }
        count += pairs.count
      }
    }
    #expect(count > 400)
  }

  @Test func producerSnapshotsAreAsKafkaDumpsThemAndReadBack() throws {
    var count = 0
    for log in try LogdirManifest.all() {
      for (fileName, file) in log.files {
        guard let producers = file.producers else { continue }
        let path = "\(log.directory)/\(fileName)"
        let found = try #require(try ProducerSnapshot.read(PosixDisk(), path))
        let stated = producers.map {
          ProducerSnapshot.Producer(
            producerId: $0.producerId, producerEpoch: $0.producerEpoch,
            lastSequence: $0.lastSequence, lastOffset: $0.lastOffset, offsetDelta: $0.offsetDelta,
            timestamp: $0.timestamp, coordinatorEpoch: $0.coordinatorEpoch,
            currentTxnFirstOffset: $0.currentTxnFirstOffset)
        }
        #expect(found.producers == stated, "\(path)")
        #expect(try found.encoded == SharedVectors.bytes(path))
        count += 1
      }
    }
    #expect(count > 10)
  }

  @Test func everyFlippedBitOfASnapshotIsRefused() throws {
    let path = SharedVectors.logdir + "/clean/segtxn-0/00000000000000000051.snapshot"
    let bytes = try SharedVectors.bytes(path)
    for bit in 0..<bytes.count * 8 {
      var flipped = bytes
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(throws: CheckpointError.self) { try ProducerSnapshot(flipped, path: path) }
    }
    for count in 0..<bytes.count {
      #expect(throws: CheckpointError.self) {
        try ProducerSnapshot(Array(bytes.prefix(count)), path: path)
      }
    }
  }

  @Test func abortedTransactionsAreAsKafkaDumpsThem() throws {
    var count = 0
    for log in try LogdirManifest.all() {
      for (fileName, file) in log.files {
        guard let name = SegmentName(fileName), case .aborted(let stated)? = file.entries else {
          continue
        }
        let bytes = try SharedVectors.bytes("\(log.directory)/\(fileName)")
        let found = try AbortedTransaction.decode(
          bytes.span, baseOffset: name.baseOffset, path: fileName)
        #expect(
          found
            == stated.map {
              AbortedTransaction(
                producerId: $0.producerId, firstOffset: $0.firstOffset, lastOffset: $0.lastOffset,
                lastStableOffset: $0.lastStableOffset)
            })
        #expect(found.flatMap(\.encoded) == bytes)
        count += found.count
      }
    }
    #expect(count == 8)
  }

  @Test func wrongTransactionIndexesAreRefused() throws {
    let path = SharedVectors.logdir + "/clean/segtxn-0/00000000000000000051.txnindex"
    let bytes = try SharedVectors.bytes(path)
    let decode = { (bytes: [UInt8], base: Int64) in
      try AbortedTransaction.decode(bytes.span, baseOffset: base, path: path)
    }
    #expect(try decode(bytes, 51).count == 4)
    #expect(throws: CheckpointError.self) { try decode(bytes, 56) }
    #expect(throws: CheckpointError.self) { try decode(Array(bytes.dropLast()), 51) }
    #expect(throws: CheckpointError.self) { try decode(bytes + bytes.prefix(34), 51) }
    var version = bytes
    version[1] = 1
    #expect(throws: CheckpointError.self) { try decode(version, 51) }
  }

  @Test func textFilesReadBackByteForByte() throws {
    for log in try LogdirManifest.all() {
      for (fileName, file) in log.files {
        guard let text = file.text else { continue }
        let bytes = [UInt8](text.utf8)
        switch fileName {
        case LeaderEpochCheckpoint.name:
          #expect(try LeaderEpochCheckpoint(bytes, path: fileName).encoded == bytes)
        case PartitionMetadata.name:
          #expect(try PartitionMetadata(bytes, path: fileName).encoded == bytes)
        default: Issue.record("\(fileName) is unknown")
        }
      }
    }
  }

  @Test func hugeBaseOffsetsDoNotOverflow() {
    let bytes: [UInt8] = [0x7F, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF]
    let content = IndexContent<OffsetIndexEntry>(bytes.span, baseOffset: Int64.max)
    #expect(content.entries == [OffsetIndexEntry(offset: Int64.max, position: 0x7FFF_FFFF)])
  }
}
