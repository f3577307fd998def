internal import DiskIO
internal import RecordFormat

/// Undoes an acceptance: the damaged bytes are restored, and are reported as damage again.
extension LossAcceptance {
  /// Where an accepted loss is in its segment now.
  private struct Place {
    var segment: Segment
    var view: SegmentView
    /// The batch without records over it; empty if the loss held no offsets.
    var bytes: Range<Int>
  }

  /// Undoes every acceptance whose bytes are still in `.bad/` and whose range was not removed or
  /// compacted since.
  func undo() throws(LogError) -> UndoneLosses {
    var result = UndoneLosses()
    var known = try AcceptedLossesFile.known(in: directory)
    for loss in known {
      if let reason = try undo(loss) {
        result.left.append(.init(loss: loss, reason: reason))
        continue
      }
      known.removeAll { $0 == loss }
      try note(known)
      result.undone.append(loss)
    }
    return result
  }

  /// - Returns: Why it cannot be undone; nil if it was.
  private func undo(_ loss: AcceptedLoss) throws(LogError) -> String? {
    guard !loss.bytes.isEmpty else { return "there were no bytes: whole segments were missing" }
    var kept: (any DiskFile)?
    if let name = loss.keptAs {
      let path = directory.path("\(KeptBytes.directoryName)/\(name)")
      do throws(DiskError) {
        kept = try directory.disk.openIfPresent(path)
        guard let kept, try kept.size() == loss.bytes.count else {
          return "its bytes are not in \(path) any more"
        }
      } catch {
        throw LogError(error)
      }
    }
    return try putBack(loss, kept)
  }

  private func putBack(_ loss: AcceptedLoss, _ kept: (any DiskFile)?) throws(LogError) -> String? {
    guard let place = try find(loss) else {
      return "its range was removed or compacted since"
    }
    let end = Int(try place.view.end().position)
    try replace([place.segment], at: place.segment.baseOffset, isDamaged: true) {
      (writer) throws(DiskError) in
      try writer.append(0..<place.bytes.lowerBound, of: place.view.files.log)
      if let kept {
        try writer.append(0..<loss.bytes.count, of: kept)
      } else {
        // If no bytes were kept, they were zeros.
        try writer.append([UInt8](repeating: 0, count: loss.bytes.count).span)
      }
      try writer.append(place.bytes.upperBound..<end, of: place.view.files.log)
    }
    return nil
  }

  private func find(_ loss: AcceptedLoss) throws(LogError) -> Place? {
    let state = log.store.state
    guard let index = state.index(of: loss.offsets.lowerBound), index + 1 < state.segments.count
    else { return nil }
    let segment = state.segments[index]
    guard loss.file == SegmentName(segment.baseOffset, .log).fileName else { return nil }
    let view = try log.access.open(segment)
    let end = Int(try view.end().position)
    var found: Range<Int>?
    do throws(DiskError) {
      var scanner = try view.scanner(from: 0, end: end, view.bounds)
      walk: while found == nil {
        switch try scanner.next() {
        case .batch(let header, let position):
          if loss.offsets.isEmpty {
            if header.baseOffset >= loss.offsets.lowerBound { found = position..<position }
          } else if header.baseOffset == loss.offsets.lowerBound {
            guard header.recordCount == 0, header.nextOffset == loss.offsets.upperBound else {
              return nil
            }
            found = position..<position + header.byteCount
          }
        case .invalid: _ = try scanner.resume()
        case .end(let position):
          if loss.offsets.isEmpty { found = position..<position }
          break walk
        }
      }
    } catch {
      throw LogError(error)
    }
    return found.map { Place(segment: segment, view: view, bytes: $0) }
  }
}
