import DiskIO
internal import Glibc

/// Checks that the small files of stores and logs are readable and agree with the log.
struct SideFileVerifier {
  /// What is wrong, and what the disk could not read.
  struct Findings {
    var damage: [SideFileDamage] = []
    var unreadable: [DiskError] = []
  }

  private let disk: any Disk

  init(_ disk: any Disk) {
    self.disk = disk
  }

  /// Files of a store's directory that need no note.
  static let storeFiles: Set<String> = Set(OffsetCheckpoint.Name.allCases.map(\.rawValue)).union([
    MetaProperties.name, CleanShutdownFile.name, ".lock", "bootstrap.checkpoint",
    ProducerIdsFile.name, LogStartCheckpoint.name, StoreSession.name,
  ])

  /// What is wrong with the files of a store's directory.
  func storeFindings(_ directory: String) -> Findings {
    var findings = Findings()
    for name in OffsetCheckpoint.Name.allCases where name != .logStart {
      collect(&findings, remedy: nil) { () throws(CheckpointError) in
        try check(name, directory)
      }
    }
    checkLogStarts(directory, &findings)
    collect(&findings, remedy: SideFileRemedy.metaProperties) { () throws(CheckpointError) in
      _ = try MetaProperties.read(disk, directory: directory)
    }
    collect(&findings, remedy: nil) { () throws(CheckpointError) in
      try checkProducerIds(directory)
    }
    collect(&findings, remedy: nil) { () throws(CheckpointError) in
      try checkReplaced("\(directory)/\(StoreSession.name)") { () throws(CheckpointError) in
        _ = try StoreSession.read(disk, directory: directory)
      }
    }
    lookForDirectories(directory, &findings)
    return findings
  }

  private func checkLogStarts(_ directory: String, _ findings: inout Findings) {
    var faults: [CheckpointError] = []
    do throws(DiskError) {
      faults = try LogStarts(disk, directory: directory).faults
    } catch {
      faults.append(.disk(error))
    }
    for fault in faults {
      collect(&findings, remedy: nil) { () throws(CheckpointError) in throw fault }
    }
  }

  /// A directory under the name of a file that opening writes or removes prevents the store from
  /// being opened; the cleaner's checkpoint is a broker's.
  private func lookForDirectories(_ directory: String, _ findings: inout Findings) {
    let written = [OffsetCheckpoint.Name.recoveryPoint, .logStart, .highWatermark].map(\.rawValue)
    for name in written + [LogStartCheckpoint.name, MetaProperties.name, CleanShutdownFile.name] {
      let path = "\(directory)/\(name)"
      collect(&findings, remedy: nil) { () throws(CheckpointError) in
        if try isDirectory(path) { throw .disk(DiskError(.open, path, code: EISDIR)) }
      }
    }
    collect(&findings, remedy: SideFileRemedy.noFile) { () throws(CheckpointError) in
      try refuseDirectory("\(directory)/\(OffsetCheckpoint.Name.cleaner.rawValue)")
    }
  }

  private func isDirectory(_ path: String) throws(CheckpointError) -> Bool {
    do throws(DiskError) {
      return try disk.status(path)?.kind == .directory
    } catch {
      throw .disk(error)
    }
  }

  private func refuseDirectory(_ path: String) throws(CheckpointError) {
    guard try isDirectory(path) else { return }
    throw .unreadable(path: path, line: nil, what: "is a directory, not a file")
  }

  private func check(
    _ name: OffsetCheckpoint.Name, _ directory: String
  ) throws(CheckpointError) {
    // Its content is not used here.
    if name == .highWatermark {
      return try checkReplaced("\(directory)/\(name.rawValue)") { () throws(CheckpointError) in
        _ = try OffsetCheckpoint.read(disk, directory: directory, name)
      }
    }
    let fault: CheckpointError?
    do throws(DiskError) {
      fault = try OffsetCheckpoint.usable(disk, directory: directory, name).fault
    } catch {
      throw .disk(error)
    }
    if let fault { throw fault }
  }

  private func checkProducerIds(_ directory: String) throws(CheckpointError) {
    try checkReplaced("\(directory)/\(ProducerIdsFile.name)") { () throws(CheckpointError) in
      _ = try ProducerIdsFile.read(disk, directory: directory)
    }
  }

  /// A file that the disk cannot read is replaced like any other unusable one.
  private func checkReplaced(
    _ path: String, _ read: () throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    do throws(CheckpointError) {
      try read()
    } catch {
      guard case .disk(let error) = error else { throw error }
      throw .unreadable(path: path, line: nil, what: "\(error)")
    }
  }

  /// What is wrong with the small files of a log's directory; `outcomes` are those of its segments.
  func logFindings(_ frame: LogFrame, _ outcomes: [SegmentOutcome]) -> Findings {
    var findings = Findings()
    let path = frame.directory.path
    collect(&findings, remedy: SideFileRemedy.partitionMetadata) { () throws(CheckpointError) in
      try refuseDirectory("\(path)/\(PartitionMetadata.name)")
      _ = try PartitionMetadata.read(disk, directory: path)
    }
    collect(&findings, remedy: SideFileRemedy.leaderEpochs) { () throws(CheckpointError) in
      try refuseDirectory("\(path)/\(LeaderEpochCheckpoint.name)")
      try checkEpochs(path, outcomes)
    }
    collect(&findings, remedy: SideFileRemedy.truncated) { () throws(CheckpointError) in
      _ = try Truncation.read(Truncation.doneName, in: frame.directory)
    }
    collect(&findings, remedy: SideFileRemedy.topicSettings) { () throws(CheckpointError) in
      _ = try TopicConfigFile.read(disk, directory: path)
    }
    var isHistorySound = true
    collect(&findings, remedy: SideFileRemedy.noFile) { () throws(CheckpointError) in
      try refuseDirectory("\(path)/\(ProducerFile.name)")
    }
    collect(&findings, remedy: SideFileRemedy.history) { () throws(CheckpointError) in
      try refuseDirectory("\(path)/\(RecoveryHistory.fileName)")
      isHistorySound = try RecoveryHistory.read(frame.directory).isSound
    }
    if !isHistorySound { findings.damage.append(RecoveryHistory.wrongFile(frame.directory)) }
    for baseOffset in frame.layout.snapshots {
      collect(&findings, remedy: nil) { () throws(CheckpointError) in
        try checkSnapshot(path, baseOffset)
      }
    }
    return findings
  }

  private func checkEpochs(
    _ path: String, _ outcomes: [SegmentOutcome]
  ) throws(CheckpointError) {
    guard let epochs = try LeaderEpochCheckpoint.read(disk, directory: path) else { return }
    for outcome in outcomes {
      for start in outcome.epochStarts where start.epoch >= 0 {
        guard let stated = epochs.epoch(at: start.offset), stated != start.epoch else { continue }
        throw .unreadable(
          path: "\(path)/\(LeaderEpochCheckpoint.name)", line: nil,
          what: "epoch \(stated) at offset \(start.offset), but the batch there has epoch "
            + "\(start.epoch) (\(PathText.lastComponent(outcome.place.logPath)), position "
            + "\(start.position))")
      }
    }
  }

  private func checkSnapshot(_ log: String, _ baseOffset: Int64) throws(CheckpointError) {
    let path = "\(log)/\(SegmentName(baseOffset, .snapshot).fileName)"
    guard let snapshot = try ProducerSnapshot.read(disk, path) else { return }
    for producer in snapshot.producers where producer.lastOffset >= baseOffset {
      throw .unreadable(
        path: path, line: nil,
        what: "producer \(producer.producerId) at offset \(producer.lastOffset), which is not "
          + "below the snapshot's")
    }
  }

  /// Turns an unreadable file into a finding; `remedy` is nil for one that opening rebuilds.
  private func collect(
    _ findings: inout Findings, remedy: String?,
    _ check: () throws(CheckpointError) -> Void
  ) {
    do throws(CheckpointError) {
      try check()
    } catch {
      switch error {
      case .disk(let error):
        // A file that disappeared meanwhile is no finding.
        if !error.isNotFound { findings.unreadable.append(error) }
      case .unreadable(let path, let line, let what):
        let place = line.map { "line \($0): " } ?? ""
        findings.damage.append(
          SideFileDamage(file: path, reason: place + what, remedy: remedy))
      }
    }
  }
}
