import DiskIO
import Foundation
import StoreTesting
import Testing

@testable import LogStore

/// P34: a copy of a live log, made file by file in whatever order, is a log that ends earlier:
/// damage is only what is missing before a segment that was copied.
@Suite struct LiveCopyTests {
  @Test(arguments: LiveCopy.Writer.allCases)
  func everyOrderOfFilesGivesALog(_ writer: LiveCopy.Writer) throws {
    let live = try LiveCopy(writer)
    let groups = live.groups
    let orders = LiveCopy.permutations(groups.count)
    #expect(orders.count == 720)
    var (shortEnds, holes) = (0, 0)
    for (number, order) in orders.enumerated() {
      let copy = try CopiedLog(
        live.copy(groups, order), writer, surveys: number % 2 == 0 ? .deep : .ends,
        "\(writer), order \(order)")
      try copy.check()
      if try copy.isShort { shortEnds += 1 }
      if try !copy.missing().isEmpty { holes += 1 }
    }
    // Both are met, or nothing was proved.
    #expect(shortEnds > 20 && holes > 20, "\(writer): \(shortEnds) short, \(holes) with holes")
  }

  /// The same of real files, of every fifteenth order.
  @Test func realFilesGiveALogInEveryOrder() throws {
    let live = try LiveCopy(.session)
    let groups = live.groups
    var holes = 0
    for (number, order) in LiveCopy.permutations(groups.count).enumerated()
    where number % 15 == 7 {
      let root = NSTemporaryDirectory() + "mkstore-live-copy-\(UUID().uuidString)"
      defer { do { try FileManager.default.removeItem(atPath: root) } catch {} }
      let copy = try CopiedLog(
        live.copy(groups, order), .session, surveys: number % 2 == 0 ? .deep : .ends,
        "order \(order) in \(root)", realRoot: root)
      // A file system that does not say when a file was made takes every mark that names a file
      // for a copy, so there is nothing to ask for first.
      try copy.check()
      if try !copy.missing().isEmpty { holes += 1 }
    }
    #expect(holes > 3)
  }

  /// Every file by itself, in random orders.
  @Test func randomOrdersOfSingleFilesGiveALog() throws {
    let seed = Seed.fromEnvironment(else: 5)
    for writer in LiveCopy.Writer.allCases {
      let live = try LiveCopy(writer)
      let groups = live.paths.map { [$0] }
      for number in 0..<100 {
        var random = SeededGenerator(seed: seed.value &+ UInt64(number))
        let order = Array(groups.indices).shuffled(using: &random)
        let copy = try CopiedLog(
          live.copy(groups, order), writer, surveys: random.chance(0.5) ? .deep : .ends,
          "SEED=\(seed.value &+ UInt64(number)) \(writer), order \(order)")
        try copy.check()
      }
    }
  }
}

/// One copy, looked at by every command in turn.
private struct CopiedLog {
  let disk: any Disk
  /// Where the store is.
  let store: String
  let writer: LiveCopy.Writer
  let depth: SurveyOptions.Depth
  let place: String
  /// Whole batches by segment, oldest first.
  private let segments: [(base: Int64, batches: [LogModel.Batch])]

  /// - Parameters:
  ///   - files: What was copied.
  ///   - realRoot: Directory to be made, for a copy of real files; nil: on a simulated disk.
  init(
    _ files: [String: [UInt8]], _ writer: LiveCopy.Writer, surveys depth: SurveyOptions.Depth,
    _ place: String, realRoot: String? = nil
  ) throws {
    self.writer = writer
    self.depth = depth
    self.place = place
    store = (realRoot ?? "") + CrashStore.path
    segments = try files.keys.sorted().compactMap { path in
      guard let name = SegmentName(PathText.lastComponent(path)), name.kind == .log else {
        return nil
      }
      var batches: [LogModel.Batch] = []
      try LogModel.split(files[path] ?? [], into: &batches)
      return (name.baseOffset, batches)
    }
    let sorted = files.sorted { $0.key < $1.key }
    if let realRoot {
      disk = PosixDisk()
      try FileManager.default.createDirectory(
        atPath: realRoot + CrashStore.directory, withIntermediateDirectories: true)
      for (path, bytes) in sorted { try Data(bytes).write(to: URL(filePath: realRoot + path)) }
    } else {
      let simulated = SimulatedDisk(seed: 78)
      for (path, bytes) in sorted { try simulated.install(path, bytes) }
      disk = simulated
    }
  }

  private var directory: LogDirectory { LogDirectory(disk: disk, path: "\(store)/t-0") }

  private func end(_ index: Int) -> Int64 {
    segments[index].batches.last?.nextOffset ?? segments[index].base
  }

  /// Offsets between the end of a segment and the next one that was copied; all that there is to
  /// damage.
  func missing() throws -> [Range<Int64>] {
    try #require(segments.first?.base == 0, "\(place)")
    return segments.indices.dropLast().compactMap { index in
      let next = segments[index + 1].base
      return end(index) < next ? end(index)..<next : nil
    }
  }

  private var logEnd: Int64 { segments.isEmpty ? 0 : end(segments.count - 1) }

  /// Whether the mark says more than the segments.
  var isShort: Bool {
    get throws {
      let mark = try DurableMark.read(directory)
      return mark.newest.map { $0.recoveryPoint > logEnd } ?? false
    }
  }

  func check() throws {
    let missing = try missing()
    let isShort = try isShort
    let mark = try DurableMark.read(directory)
    // Where no mark was there yet, the directory is one of unknown origin.
    guard mark.newest != nil else { return }
    #expect(mark.isCopy, "\(place)")
    let before = try verify()
    #expect(before.damage.compactMap(\.offsets) == missing, "\(place): \(before.damage)")
    #expect(before.hasDamage == !missing.isEmpty && before.unreadable.isEmpty, "\(place)")
    #expect(before.tornTails.isEmpty, "\(place): \(before.tornTails)")
    let notes = before.notes.filter { $0.file.hasSuffix(DurableMark.fileName) }
    #expect(notes.isEmpty != isShort, "\(place): \(notes)")
    expectReadable(
      try Log.openReadOnlyBlocking(directory.path, disk: disk, logger: .silent), missing, "reader")
    try open(before, missing)
    let after = try verify()
    #expect(after.damage == before.damage, "\(place): \(after.damage), \(before.damage)")
    // An opening that looks at the log's end leaves the other indexes to when they are needed.
    if depth == .deep {
      #expect(after.sideFileDamage.isEmpty, "\(place): \(after.sideFileDamage)")
    }
    #expect(!after.notes.contains { $0.file.hasSuffix(DurableMark.fileName) }, "\(place)")
  }

  private func open(_ before: VerificationReport, _ missing: [Range<Int64>]) throws {
    var config = LiveCopy.config
    config.surveyDepth = depth
    let manager = try Store.openBlocking(store, config: config, disk: disk, logger: .silent)
    let log = try #require(manager.log(try TopicPartition(topic: "t", partition: 0)), "\(place)")
    let report = log.recovery
    #expect(report.cuts.isEmpty && log.logEndOffset == logEnd, "\(place): \(report.cuts)")
    if depth == .deep {
      #expect(report.damage == before.damage, "\(place): \(report.damage)")
      let plan = try #require(before.plans.first).report
      #expect(plan.removedFiles == report.removedFiles, "\(place)")
      #expect(plan.rebuiltIndexes == report.rebuiltIndexes, "\(place)")
      #expect(plan.notes == report.notes, "\(place)")
    }
    expectReadable(log, missing, "writer")
    if writer == .producers { try expectProducers(log, isWhole: missing.isEmpty) }
    var batch = SampleBatches.small[60]
    #expect(try log.appendBlocking(batch: &batch).baseOffset == logEnd, "\(place)")
    try manager.closeBlocking()
  }

  private func expectReadable(_ log: Log, _ missing: [Range<Int64>], _ who: String) {
    do {
      let found = try log.readAround()
      #expect(found.batches == segments.flatMap(\.batches), "\(place), \(who)")
      #expect(found.damaged == missing, "\(place), \(who)")
    } catch {
      Issue.record("\(place), \(who): \(error)")
    }
  }

  /// A producer is known by its last batch in the copy, or by one that is missing before a segment
  /// that was copied; never by one that is behind the end.
  private func expectProducers(_ log: Log, isWhole: Bool) throws {
    let state = try ProducerFixture.state(log)
    let batches = segments.flatMap(\.batches)
    for (number, id) in LiveCopy.producerIds.enumerated() {
      let known = state.producers[id]?.batches.last
      #expect((known?.lastOffset ?? -1) < logEnd, "\(place): \(id)")
      // Each producer's batch has three records; they take turns.
      let last = batches.last { ($0.baseOffset / 3) % 2 == Int64(number) }
      let expected = last.map { $0.nextOffset - 1 } ?? -1
      let found = known?.lastOffset ?? -1
      #expect(isWhole ? found == expected : found >= expected, "\(place): \(id)")
    }
  }

  private func verify() throws -> VerificationReport {
    var options = VerificationOptions()
    options.depth = .deep
    options.threadCount = 1
    return try LogVerifier(disk, options).verify([store])
  }
}
