import DiskIO
import Testing

@testable import LogStore

/// What an opening, or a whole session, changed in a store's directory, against what its reports
/// announce.
struct DirectoryChanges {
  private let before: [String: [UInt8]]
  private let after: [String: [UInt8]]
  private let place: String

  init(_ before: [String: [UInt8]], _ after: [String: [UInt8]], _ place: String) {
    self.before = before
    self.after = after
    self.place = place
  }

  /// All that an opening announced was done, and nothing else.
  func checkOpening(_ reports: [RecoveryReport]) {
    for report in reports {
      checkCuts(report)
      for path in report.removedFiles.map(\.path) {
        // A finished replacement takes the name.
        let stem = path.split(separator: ".").first ?? ""
        let isGone = after[path] == nil || before["\(stem).log.swap"] != nil
        #expect(isGone, "\(place): \(path) is still there")
      }
    }
    checkUntold(reports)
  }

  /// After the close too, which writes a snapshot at the log's end.
  func checkSession(_ reports: [RecoveryReport]) {
    checkUntold(reports, closingEnds: Set(reports.map(\.logEndOffset)))
  }

  /// What was cut off or moved is in `.bad`, and no longer where it was.
  private func checkCuts(_ report: RecoveryReport) {
    for cut in report.cuts {
      guard let bytes = before[cut.file] ?? before["\(cut.file).swap"] else {
        #expect(Bool(false), "\(place): \(cut.file) was not there")
        continue
      }
      let taken = bytes[cut.position..<min(bytes.count, cut.position + cut.bytes)]
      if let kept = cut.keptAs {
        let isSame = after[kept].map { $0[...] == taken } ?? false
        #expect(isSame, "\(place): \(kept) is another")
      } else {
        let isZero = taken.allSatisfy { $0 == 0 }
        #expect(isZero, "\(place): \(cut.file) lost bytes")
      }
      if !cut.isWholeFile {
        let isKept = after[cut.file]?.starts(with: bytes[..<cut.position]) ?? false
        #expect(isKept, "\(place): \(cut.file) lost what was before the cut")
      }
    }
  }

  /// A file that changed was announced.
  private func checkUntold(_ reports: [RecoveryReport], closingEnds: Set<Int64> = []) {
    let gone = Set(reports.flatMap(\.removedFiles).map(\.path))
    let aside = Set(reports.flatMap(\.cuts).map(\.file))
    let rebuilt = Set(reports.flatMap(\.rebuiltIndexes))
    for (path, bytes) in before where path.split(separator: "/").count > 2 {
      let now = after[path]
      let isBeside = gone.contains(path) || aside.contains { besides($0).contains(path) }
      if path.hasSuffix(".log") || path.hasSuffix(".swap") || path.hasSuffix(".deleted") {
        let isSame = now?.starts(with: bytes) ?? false
        let isTold = isSame || isBeside || isReplacement(path)
        #expect(isTold, "\(place): \(path) changed untold")
      } else if path.hasSuffix("index") {
        let used = trimmed(bytes)
        let isSame = now.map { trimmed($0).starts(with: used) || used.starts(with: trimmed($0)) }
        let isTold = isBeside || rebuilt.contains(path) || before["\(path).swap"] != nil
        #expect(isSame ?? false || isTold, "\(place): \(path) changed untold")
      } else if path.hasSuffix(".snapshot") {
        // A close writes one at the log's end, and the newest before goes with that.
        let isClosing = closingEnds.contains {
          after["\(PathText.parent(path))/\(SegmentName($0, .snapshot).fileName)"] != nil
        }
        let isTold = now == bytes || gone.contains(path) || isClosing
        #expect(isTold, "\(place): \(path) changed untold")
      }
    }
  }

  /// A finished replacement took its name, or took the place of the file.
  private func isReplacement(_ path: String) -> Bool {
    path.hasSuffix(".swap") || before["\(path).swap"] != nil
  }

  /// The files that go with a `.log` that is kept aside.
  private func besides(_ log: String) -> [String] {
    let stem = log.split(separator: ".").first.map(String.init) ?? log
    return [log] + ["index", "timeindex", "txnindex"].map { "\(stem).\($0)" }
  }

  private func trimmed(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
    bytes[..<(bytes.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0)]
  }
}
