import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// One directory, looked at by every command in turn.
struct Agreement {
  /// Who opens the store.
  enum Opening { case recover, serve }

  /// How the session that opened it goes on and ends.
  enum Ending: CaseIterable {
    case close, appendAndClose, kill, appendAndKill

    var appends: Bool { self == .appendAndClose || self == .appendAndKill }
    var closes: Bool { self == .close || self == .appendAndClose }
  }

  private let disk: SimulatedDisk
  private let opening: Opening
  private let ending: Ending
  /// Where it is, for messages: the seed, the faults, and the session.
  let place: String

  init(_ disk: SimulatedDisk, opening: Opening, ending: Ending, place: String) {
    self.disk = disk
    self.opening = opening
    self.ending = ending
    self.place = "\(place); \(opening), \(ending)"
  }

  func check() {
    do {
      try compareAll()
    } catch {
      Issue.record("\(place): \(error)")
    }
  }

  private func compareAll() throws {
    let content = files(of: disk)
    let before = try verify(disk)
    #expect(files(of: disk) == content, "\(place): verify changed a file")
    guard let first = try open(disk, opening, ending, before) else { return }
    let after = try verify(first.disk)
    compare(before, first, after)
    if opening == .recover {
      compare(before.plans.map(\.report), first.reports)
      DirectoryChanges(content, first.opened, place).checkOpening(first.reports)
      if !ending.appends {
        DirectoryChanges(content, files(of: first.disk), place).checkSession(first.reports)
      }
      let left = after.sideFileDamage.filter(\.isMendedByOpen)
      #expect(left.isEmpty || !ending.closes, "\(place): not mended \(left)")
    }
    guard let second = try open(first.disk, .recover, .close, after) else { return }
    let last = try verify(second.disk)
    compare(after, second, last)
    if opening == .recover, ending == .close {
      let cuts = second.reports.flatMap(\.cuts)
      let rebuilt = second.reports.flatMap(\.rebuiltIndexes)
      #expect(cuts.isEmpty && rebuilt.isEmpty, "\(place): again \(cuts) \(rebuilt)")
    }
  }

  // MARK: Commands

  private func verify(_ disk: SimulatedDisk) throws -> VerificationReport {
    var options = VerificationOptions()
    options.depth = .deep
    options.threadCount = 1
    return try LogVerifier(disk, options).verify([MutatedDirectory.store])
  }

  /// What an opening told, and the disk when its session ended.
  private struct Session {
    var reports: [RecoveryReport]
    var disk: SimulatedDisk
    /// The files right after the opening.
    var opened: [String: [UInt8]] = [:]
    /// Offsets at which records were appended.
    var appended: Set<Int64> = []
    var isDeep: Bool
  }

  /// - Returns: nil where a log does not open, which `verify` must have told.
  private func open(
    _ disk: SimulatedDisk, _ opening: Opening, _ ending: Ending, _ told: VerificationReport
  ) throws -> Session? {
    var config = CrashStore.config()
    if opening == .recover { config.surveyDepth = .deep }
    let manager = try Store.openBlocking(
      MutatedDirectory.store, config: config, disk: disk, logger: .silent)
    var session = Session(
      reports: manager.report.logs.map(\.recovery), disk: disk, isDeep: opening == .recover)
    guard manager.report.failed.isEmpty else {
      let isTold = !told.unreadable.isEmpty || told.hasDamage
      #expect(isTold, "\(place): failed \(manager.report.failed)")
      return nil
    }
    session.opened = files(of: disk)
    if ending.appends {
      for log in manager.logs {
        var batch = SampleBatches.small[40]
        session.appended.insert(try log.appendBlocking(batch: &batch).baseOffset)
      }
    }
    if ending.closes { try manager.closeBlocking() } else { session.disk = disk.kill() }
    return session
  }

  private func files(of disk: SimulatedDisk) -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for path in disk.paths { files[path] = disk.contents(of: path) }
    return files
  }

  // MARK: What was told

  private func compare(
    _ before: VerificationReport, _ session: Session, _ after: VerificationReport
  ) {
    // New records are at the offsets of a loss at the log's end, and end it.
    func lasts(_ range: DamagedRange) -> Bool {
      guard range.bytes.isEmpty, let first = range.offsets?.lowerBound else { return true }
      return !session.appended.contains { first >= $0 }
    }
    let told = Set(before.damage)
    let run = Set(session.reports.flatMap(\.damage))
    if session.isDeep {
      expectSame(told, run, "the opening's damage")
    } else {
      // It looks at the log's end alone: it does not know of all damaged bytes.
      let more = run.filter { range in !told.contains { $0.covers(range) } }
      #expect(more.isEmpty, "\(place): the opening's damage: only it \(more)")
    }
    if session.appended.isEmpty {
      expectSame(told, Set(after.damage), "damage afterwards")
      expectSame(
        [status(before)], [status(after)],
        "exit status; \(before.sideFileDamage), then \(after.sideFileDamage)")
    } else {
      // Damaged bytes are told by what follows them, too; what is missing as it was noted.
      let gone = told.filter { range in
        let rest = range.before(session.appended)
        return range.bytes.isEmpty && lasts(range) && !after.damage.contains { $0.covers(rest) }
      }
      #expect(gone.isEmpty, "\(place): not told once more was appended: \(gone)")
    }
    let unreadable = session.reports.flatMap(\.unreadableFiles)
    #expect(unreadable.isEmpty || !before.unreadable.isEmpty, "\(place): \(unreadable)")
    #expect(after.tornTails.isEmpty, "\(place): \(after.tornTails)")
  }

  /// The exit status by the table of docs/durability.md#what-the-commands-say.
  private func status(_ report: VerificationReport) -> Int {
    report.hasDamage ? 3 : report.unreadable.isEmpty ? 0 : 1
  }

  /// The dry run against the run.
  private func compare(_ foreseen: [RecoveryReport], _ done: [RecoveryReport]) {
    #expect(foreseen.count == done.count, "\(place)")
    for (foreseen, done) in zip(foreseen, done) {
      func cuts(_ report: RecoveryReport) -> [String] {
        report.cuts.map {
          "\($0.file) \($0.position) \($0.bytes) \($0.reason) \($0.isWholeFile)"
        }
      }
      expectSame(cuts(foreseen), cuts(done), "cuts")
      expectSame(foreseen.removedFiles, done.removedFiles, "removed files")
      expectSame(foreseen.rebuiltIndexes, done.rebuiltIndexes, "rebuilt files")
      expectSame(foreseen.sideFileDamage, done.sideFileDamage, "side files")
      expectSame(foreseen.unreadableFiles, done.unreadableFiles, "unreadable files")
      expectSame(foreseen.notes, done.notes, "notes")
      expectSame(
        [foreseen.logStartOffset, foreseen.logEndOffset], [done.logStartOffset, done.logEndOffset],
        "start and end")
    }
  }

  /// Compares what two of them told, and names what only one did.
  private func expectSame<Told: Hashable>(
    _ one: some Collection<Told>, _ other: some Collection<Told>, _ what: String
  ) {
    let (first, second) = (Set(one), Set(other))
    guard first != second || one.count != other.count else { return }
    let (gone, new) = (first.subtracting(second), second.subtracting(first))
    Issue.record("\(place): \(what): first only \(gone), then only \(new)")
  }
}

extension DamagedRange {
  /// What is left of a loss where records are at these offsets.
  fileprivate func before(_ appended: Set<Int64>) -> DamagedRange {
    guard let offsets, let first = appended.filter({ offsets.contains($0) }).min() else {
      return self
    }
    var rest = self
    rest.offsets = offsets.lowerBound..<first
    return rest
  }

  /// Whether all that `other` tells of is told by this one.
  fileprivate func covers(_ other: DamagedRange) -> Bool {
    guard other.bytes.isEmpty, let held = offsets, let offsets = other.offsets else {
      return self == other
    }
    return held.lowerBound <= offsets.lowerBound && held.upperBound >= offsets.upperBound
  }
}
