extension RecoveryPlan {
  /// The report of an opening that executes the plan. It does not know yet where bytes will be
  /// kept.
  package var report: RecoveryReport {
    var report = self.view
    report.notes = notes.map { "\($0)" }
    for action in actions {
      switch action {
      case .setAside(let name, let byteCount, let reason):
        report.cuts.append(
          .init(
            file: path(name.fileName), position: 0, bytes: byteCount, reason: reason,
            isWholeFile: true))
      case .cut(let base, let position, let byteCount, let reason):
        report.cuts.append(
          .init(
            file: path(SegmentName(base, .log).fileName), position: position, bytes: byteCount,
            reason: reason))
      case .remove(let name, let reason):
        report.removedFiles.append(RemovedFile(path: path(name), reason: reason))
      case .rename(_, let to): report.notes.append("completed the replacement of \(to)")
      case .writeIndexes(let work):
        for (_, fault) in work.faults {
          report.notes.append("\(fault); the index is made from the log")
        }
        for kind in [SegmentName.Kind.index, .timeindex] where work.isTold.contains(kind) {
          report.rebuiltIndexes.append(path(SegmentName(work.baseOffset, kind).fileName))
        }
      case .writeStart:
        if frame.startEvidence.own == .wrong {
          report.rebuiltIndexes.append(path(LogStartFile.name))
        }
      case .writeEpochs: report.rebuiltIndexes.append(path(LeaderEpochCheckpoint.name))
      case .writeHistory: report.rebuiltIndexes.append(path(RecoveryHistory.fileName))
      case .noteLosses:
        if KnownLosses.isWrong(sideFileDamage, in: frame.directory) {
          report.rebuiltIndexes.append(path(KnownLosses.fileName))
        }
      case .writeMark: break
      }
    }
    return report
  }

  /// The report for a reader, which changes nothing.
  package var view: RecoveryReport {
    var report = RecoveryReport(wasClean: frame.isCleanStop)
    report.logStartOffset = logStartOffset
    report.logEndOffset = logEndOffset
    report.segmentCount = frame.places.count + frame.emptied.count
    report.bytesScanned = bytesScanned
    report.damage = damage
    report.sideFileDamage = sideFileDamage
    report.unreadableFiles = unreadable.map { "\($0)" }
    for row in rows { report.add(row) }
    report.notes = notes.map { "\($0)" }
    for action in actions {
      switch action {
      case .setAside(let name, _, let reason):
        report.notes.append("\(path(name.fileName)) is not used: \(reason)")
      case .cut(let base, let position, _, let reason):
        let file = path(SegmentName(base, .log).fileName)
        report.notes.append("\(file) has an unfinished end at position \(position): \(reason)")
      case .remove, .rename, .writeIndexes, .writeStart, .writeEpochs, .writeHistory, .noteLosses,
        .writeMark:
        break
      }
    }
    return report
  }

  private func path(_ name: String) -> String { frame.directory.path(name) }
}
