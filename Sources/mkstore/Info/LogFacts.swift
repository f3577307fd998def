import DiskIO
import LogStore

/// The output of `info` for one log.
struct LogFacts {
  let location: LogLocation
  let log: Log
  let segments: [SegmentDescription]
  /// The engine's own mark; nil in a directory that it never wrote to.
  let mark: MarkRecord?
  /// Whether the mark was copied here as one file among others, so that it proves nothing about
  /// this log.
  let isMarkCopy: Bool
  /// The recovery history.
  let history: RecoveryHistory.Content
  /// What openings kept, or why it cannot be listed.
  let kept: Result<KeptData, DiskError>
  /// Settings of the topic, "name=value", or why they cannot be read.
  let settings: Result<[String], CheckpointError>
  /// Time and offset of the latest record.
  let latest: OffsetForTime?

  /// Opens the log for reading and examines its files.
  init(_ location: LogLocation, _ disk: PosixDisk) throws(CommandFailure) {
    self.location = location
    log = try location.openReadOnly()
    let directory = LogDirectory(disk: disk, path: location.path)
    var segments: [SegmentDescription] = []
    let log = log
    for segment in try withLogErrors({ () throws(LogError) in try log.segmentInfo() }) {
      segments.append(try SegmentDescription(segment, disk))
    }
    self.segments = segments
    let found = try withDiskErrors { () throws(DiskError) in try DurableMark.read(directory) }
    mark = found.newest
    isMarkCopy = found.isCopy
    latest = try withLogErrors { () throws(LogError) in try log.offsetOfLargestTimestamp() }
    do throws(CheckpointError) {
      history = try RecoveryHistory.read(directory)
    } catch {
      throw CommandFailure(error)
    }
    kept = Result { () throws(DiskError) in try KeptData(of: directory) }
    do throws(CheckpointError) {
      let found = try TopicConfigFile.read(disk, directory: location.path)?.config.values ?? [:]
      settings = .success(found.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })
    } catch {
      settings = .failure(error)
    }
  }

  /// Bytes of all `.log` files.
  var byteCount: Int { segments.reduce(0) { $0 + $1.bytes } }

  /// One line, for the list of a store.
  var line: String {
    "\(location.topicPartition)  offsets \(log.logStartOffset) to \(log.logEndOffset) "
      + "(exclusive)  \(Counted.text(segments.count, "segment"))  "
      + "\(ByteCountArgument.text(byteCount))  "
      + "latest record \(RFC3339.text(latest?.timestamp ?? -1))"
  }

  /// All lines for people.
  var lines: [String] {
    var lines = [
      "log        \(location.path)",
      "offsets    \(log.logStartOffset) to \(log.logEndOffset) (exclusive)",
      "segments   \(segments.count), \(ByteCountArgument.text(byteCount))",
      "latest     \(RFC3339.text(latest?.timestamp ?? -1))"
        + (latest.map { " at offset \($0.offset)" } ?? ""),
      "durable    " + durability,
      "mode       " + acknowledgements,
    ]
    switch settings {
    case .success(let values) where values.isEmpty: break
    case .success(let values): lines.append("settings   " + values.joined(separator: " "))
    case .failure(let error): lines.append("settings   unreadable, no appends: \(error)")
    }
    switch kept {
    case .success(let data) where data.kept.files.isEmpty: break
    case .success: lines.append("kept       \(keptSum.text)")
    case .failure(let error): lines.append("kept       not known: \(error)")
    }
    for range in log.damagedRanges { lines.append("damaged    \(range)") }
    for note in log.recovery.notes { lines.append("note       \(note)") }
    if !segments.isEmpty {
      lines.append("base offset           bytes       largest time              changed")
    }
    for segment in segments {
      lines.append(
        SegmentName.digits(segment.baseOffset) + "  " + padded(String(segment.bytes), 10) + "  "
          + padded(RFC3339.text(segment.largestTimestamp ?? -1), 24) + "  "
          + RFC3339.text(segment.modifiedMs ?? -1))
    }
    let historySize = ByteCountArgument.text(keptSum.historyBytes)
    lines.append(
      history.lines.isEmpty
        ? "history    empty" : "history    \(history.lines.count) lines, \(historySize)")
    lines += history.lines.map { "  " + HistoryText.line($0) }
    if !history.isSound { lines.append("  \(RecoveryHistory.wrongChecksum)") }
    return lines
  }

  private var keptSum: KeptSum {
    var sum = KeptSum()
    if case .success(let data) = kept { sum.add(data) }
    return sum
  }

  /// What is known to be on disk.
  private var durability: String {
    guard let mark else {
      return "not known: no mark of this engine, as in a directory that Kafka wrote"
    }
    if isMarkCopy {
      return "not known: mkstore.mark was copied here with the log, which was not opened since"
    }
    return "offsets below \(mark.recoveryPoint) survive a power cut (mkstore.mark, "
      + (mark.isClean ? "clean stop)" : "in use or not stopped cleanly)")
  }

  /// What an acknowledgement of the last writer meant.
  private var acknowledgements: String {
    switch mark?.durability {
    case nil: "not known: there is no mark of this engine"
    case .flushed: "flushed: an acknowledgement means durable"
    case let mode?: "\(mode): an acknowledged record may be lost in a power cut"
    }
  }

  private func padded(_ text: String, _ count: Int) -> String {
    text + String(repeating: " ", count: max(0, count - text.utf8.count))
  }

  /// The same as one object.
  func object(withSegments: Bool) -> JSONObject {
    var object = JSONObject(type: "log")
    object.add("path", location.path)
    object.add("topic", location.topicPartition.topic)
    object.add("partition", location.topicPartition.partition)
    object.add("logStartOffset", log.logStartOffset)
    object.add("logEndOffset", log.logEndOffset)
    object.add("bytes", byteCount)
    object.add("segmentCount", segments.count)
    object.addTime("latestTimestamp", milliseconds: latest?.timestamp)
    object.add("latestOffset", latest?.offset)
    object.add("durableOffset", isMarkCopy ? nil : mark?.recoveryPoint)
    object.add("cleanStop", isMarkCopy ? nil : mark?.isClean)
    object.add("durability", mark?.durability?.description)
    object.add("damage", log.damagedRanges.map(DamageText.part))
    keptSum.add(to: &object)
    if case .failure(let error) = kept { object.add("keptError", "\(error)") }
    switch settings {
    case .success(let values): object.add("settings", values)
    case .failure(let error): object.add("settingsError", "\(error)")
    }
    object.add("notes", log.recovery.notes)
    if withSegments { object.add("segments", segments.map(\.object)) }
    return object
  }
}
