import DiskIO
import LogStore

/// Dumping the files beside a `.log`.
extension DumpRun {
  mutating func dumpOffsetIndex(
    _ path: String, _ baseOffset: Int64, _ disk: PosixDisk
  ) throws(CommandFailure) {
    let content = try content(path, disk)
    let index = IndexContent<OffsetIndexEntry>(content.span, baseOffset: baseOffset)
    switch format {
    case .kafka where content.count < OffsetIndexEntry.byteCount: out.line("\(path) is empty.")
    case .text: describe(index, path)
    case .kafka, .json: break
    }
    // For Kafka's tool a file that is all zeros holds one entry, the first.
    let entries =
      format == .kafka && index.entries.isEmpty && index.zeroTailBytes > 0
      ? [OffsetIndexEntry(offset: baseOffset, position: 0)] : index.entries
    for entry in entries {
      if format == .json {
        var object = JSONObject(type: "indexEntry")
        object.add("file", path)
        object.add("offset", entry.offset)
        object.add("position", entry.position)
        out.line(object)
      } else {
        out.line("offset: \(entry.offset) position: \(entry.position)")
      }
    }
  }

  mutating func dumpTimeIndex(
    _ path: String, _ baseOffset: Int64, _ disk: PosixDisk
  ) throws(CommandFailure) {
    let content = try content(path, disk)
    let index = IndexContent<TimeIndexEntry>(content.span, baseOffset: baseOffset)
    if format == .text { describe(index, path) }
    for entry in index.entries {
      switch format {
      case .json:
        var object = JSONObject(type: "timeIndexEntry")
        object.add("file", path)
        object.add("timestamp", entry.timestamp)
        object.add("offset", entry.offset)
        out.line(object)
      case .kafka: out.line("timestamp: \(entry.timestamp) offset: \(entry.offset)")
      case .text:
        out.line(
          "timestamp: \(entry.timestamp) (\(RFC3339.text(entry.timestamp))) "
            + "offset: \(entry.offset)")
      }
    }
  }

  mutating func dumpTransactionIndex(
    _ path: String, _ baseOffset: Int64, _ disk: PosixDisk
  ) throws(CommandFailure) {
    let bytes = try content(path, disk)
    let transactions: [AbortedTransaction]
    do throws(CheckpointError) {
      transactions = try AbortedTransaction.decode(bytes.span, baseOffset: baseOffset, path: path)
    } catch {
      throw CommandFailure(error)
    }
    for transaction in transactions {
      guard format == .json else {
        out.line(
          "version: 0 producerId: \(transaction.producerId) firstOffset: "
            + "\(transaction.firstOffset) lastOffset: \(transaction.lastOffset) "
            + "lastStableOffset: \(transaction.lastStableOffset)")
        continue
      }
      var object = JSONObject(type: "abortedTransaction")
      object.add("file", path)
      object.add("producerId", transaction.producerId)
      object.add("firstOffset", transaction.firstOffset)
      object.add("lastOffset", transaction.lastOffset)
      object.add("lastStableOffset", transaction.lastStableOffset)
      out.line(object)
    }
  }

  mutating func dumpSnapshot(_ path: String, _ disk: PosixDisk) throws(CommandFailure) {
    let bytes = try content(path, disk)
    let snapshot: ProducerSnapshot
    do throws(CheckpointError) {
      snapshot = try ProducerSnapshot(bytes, path: path)
    } catch {
      throw CommandFailure(error)
    }
    for producer in snapshot.producers {
      if format == .json { out.line(object(producer, path)) } else { print(producer) }
    }
  }

  /// Kafka's line.
  private mutating func print(_ producer: ProducerSnapshot.Producer) {
    let open = producer.currentTxnFirstOffset
    out.write(
      "producerId: \(producer.producerId) producerEpoch: \(producer.producerEpoch) "
        + "coordinatorEpoch: \(producer.coordinatorEpoch) currentTxnFirstOffset: "
        + "\(KafkaLayout.optional(open < 0 ? nil : open)) lastTimestamp: \(producer.timestamp) ")
    if producer.lastOffset >= 0 {
      out.write(
        "firstSequence: \(firstSequence(producer)) lastSequence: \(producer.lastSequence) "
          + "lastOffset: \(producer.lastOffset) offsetDelta: \(producer.offsetDelta) "
          + "timestamp: \(producer.timestamp)")
    }
    out.write("\n")
  }

  /// Of the last batch; sequences wrap from the largest Int32 to 0.
  private func firstSequence(_ producer: ProducerSnapshot.Producer) -> Int64 {
    let first = Int64(producer.lastSequence) - Int64(producer.offsetDelta)
    return first >= 0 || producer.lastSequence < 0 ? first : first + Int64(Int32.max) + 1
  }

  private func object(_ producer: ProducerSnapshot.Producer, _ path: String) -> JSONObject {
    var object = JSONObject(type: "producer")
    object.add("file", path)
    object.add("producerId", producer.producerId)
    object.add("producerEpoch", producer.producerEpoch)
    object.add("lastSequence", producer.lastSequence)
    object.add("lastOffset", producer.lastOffset)
    object.add("offsetDelta", producer.offsetDelta)
    object.add("timestamp", producer.timestamp)
    object.add("coordinatorEpoch", producer.coordinatorEpoch)
    object.add("currentTxnFirstOffset", producer.currentTxnFirstOffset)
    return object
  }

  private mutating func describe<Entry>(_ index: IndexContent<Entry>, _ path: String) {
    var text = "\(path): \(index.entries.count) entries"
    if index.zeroTailBytes > 0 { text += ", \(index.zeroTailBytes) unused bytes after them" }
    if index.strayBytes > 0 { text += ", \(index.strayBytes) stray bytes at the end" }
    out.line(text)
  }

  /// A whole small file.
  func content(_ path: String, _ disk: PosixDisk) throws(CommandFailure) -> [UInt8] {
    do throws(CheckpointError) {
      return try SmallFile.read(disk, path, limit: Int(Int32.max)) ?? []
    } catch {
      throw CommandFailure(error)
    }
  }
}
