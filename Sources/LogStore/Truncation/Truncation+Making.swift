internal import DiskIO

extension Truncation {
  /// Removes the records from a cut on, in a log whose use has ended.
  init(_ log: Log, _ cut: SuffixCut) throws(LogError) {
    let state = log.store.state
    let directory = log.environment.directory
    let end = cut.endOffset
    var files: [File] = []
    var newest: MarkRecord?
    do throws(DiskError) {
      for segment in state.segments.reversed() where segment.baseOffset >= cut.firstGone {
        for kind in [SegmentName.Kind.log, .txnindex] {
          if let file = try File(SegmentName(segment.baseOffset, kind), in: directory) {
            files.append(file)
          }
        }
      }
      newest = try DurableMark.read(directory).newest
    } catch {
      throw LogError(error)
    }
    newest?.isGapless = state.rules.isGapless
    if let known = newest?.recoveryPoint, known < end { newest?.isWithoutProducers = false }
    self.init(
      direction: .remove, shortEnd: end, longEnd: log.logEndOffset, lastBase: cut.lastBase,
      isReplaced: cut.isReplaced, epochs: Self.raised(state, end),
      epochsBefore: state.epochs.entries, markFlags: newest.map { MarkFlags($0).rawValue } ?? 0,
      files: files)
  }

  /// Records written from the end on have a new epoch.
  private static func raised(_ state: LogState, _ end: Int64) -> [LeaderEpochCheckpoint.Entry] {
    var entries = state.epochs.entries.filter { $0.startOffset < end }
    if entries.isEmpty, state.rules.isGapless, state.startOffset < end {
      entries = [.init(epoch: 0, startOffset: state.startOffset)]
    }
    let (next, isOver) = state.epochs.latest.addingReportingOverflow(1)
    return isOver ? entries : entries + [.init(epoch: next, startOffset: end)]
  }

  /// Restores the records, in a log that is unchanged since the last truncation.
  ///
  /// - Throws: `.notFound` if there was none, or a kept file is missing; `.offsetOutOfRange` if
  ///   records were appended since; `.corrupt` if `mkstore.truncated` is wrong.
  init(undoing log: Log) throws(LogError) {
    let directory = log.environment.directory
    let path = directory.path(Self.doneName)
    var found: Truncation?
    do throws(CheckpointError) {
      found = try Self.read(Self.doneName, in: directory)
    } catch {
      if case .disk(let error) = error { throw LogError(error) }
      throw .corrupt(
        DamagedRange(file: path, bytes: 0..<0, offsets: 0..<0, reason: "\(error)"))
    }
    guard var undo = found, undo.direction == .remove else { throw .notFound(path: path) }
    let state = log.store.state
    guard log.logEndOffset == undo.shortEnd, state.segments.last?.baseOffset == undo.lastBase
    else {
      throw .offsetOutOfRange(
        offset: undo.shortEnd, logStartOffset: log.logStartOffset,
        logEndOffset: log.logEndOffset)
    }
    for file in undo.files {
      let kept = directory.path("\(KeptBytes.directoryName)/\(file.keptAs)")
      do throws(DiskError) {
        guard try directory.disk.status(kept)?.size == file.byteCount else {
          throw DiskError.notFound(.open, kept)
        }
      } catch {
        throw error.isNotFound ? .notFound(path: kept) : LogError(error)
      }
    }
    undo.direction = .undo
    let before = undo.epochsBefore.filter { $0.startOffset < undo.longEnd }
    undo.epochsBefore = state.epochs.entries
    undo.epochs = before + [.init(epoch: state.epochs.latest, startOffset: undo.longEnd)]
    self = undo
  }
}

extension Truncation.File {
  /// nil if there is no such file.
  fileprivate init?(_ name: SegmentName, in directory: LogDirectory) throws(DiskError) {
    guard let size = try directory.disk.status(directory.path(name.fileName))?.size else {
      return nil
    }
    let kept = "\(KeptBytes.directoryName)/\(name.fileName)@0+\(size)"
    self.init(
      name: name, byteCount: size,
      keptAs: PathText.lastComponent(
        try KeptBytes.freeName(directory.path(kept), for: nil, in: directory)))
  }
}
