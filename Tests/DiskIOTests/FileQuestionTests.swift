import CMkstoreShims
import DiskIO
import Glibc
import StoreTesting
import Testing

/// What a file tells beside its bytes, and how they are sent, on every implementation.
@Suite struct FileQuestionTests {
  private static let page = 4_096

  // MARK: Cache

  @Test(arguments: DiskUnderTest.allCases)
  func whatWasJustWrittenIsCached(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let file = try disk.open("\(base)/a", .create)
      #expect(file.residency(of: 0..<0) == .whole)
      #expect(file.residency(of: 0..<1) == .nothing, "there is no page")
      try file.write([UInt8](repeating: 1, count: 10_000))
      #expect(file.residency(of: 0..<10_000) == .whole)
      #expect(file.residency(of: 9_999..<10_000) == .whole)
      #expect(file.residency(of: 8_000..<30_000) == .part, "the file has no such bytes")
      #expect(file.residency(of: 20_000..<30_000) == .nothing)
      #expect(file.isCached(at: 0, count: 10_000) && !file.isCached(at: 0, count: 20_000))
      #expect(file.isCached(at: 0, count: 0))
    }
  }

  /// The simulation drops what the kernel may drop; that the kernel does is EvictionTests' premise.
  @Test func cleanPagesCanBeEvictedAndAreReadAgain() throws {
    let disk = SimulatedDisk()
    let file = try disk.open("/a", .create)
    try file.write([UInt8](repeating: 1, count: 5 * Self.page))
    file.advise(.dontNeed, at: 0, count: 0)
    #expect(file.residency(of: 0..<5 * Self.page) == .whole, "nothing is clean yet")
    try file.sync()
    try file.write([2], at: Self.page)
    file.advise(.dontNeed, at: 0, count: 0)
    #expect(file.residency(of: 0..<5 * Self.page) == .part)
    #expect(file.residency(of: Self.page..<2 * Self.page) == .whole, "changed and not synced")
    #expect(file.residency(of: 0..<Self.page) == .nothing)
    #expect(try file.bytes(1, at: 0) == [1])
    #expect(file.residency(of: 0..<2 * Self.page) == .whole, "read again")
    #expect(file.residency(of: 2 * Self.page..<5 * Self.page) == .nothing)
    try disk.evict("/a", 0..<1)
    #expect(file.residency(of: 0..<1) == .nothing)
  }

  @Test func nothingIsCachedAfterAPowerCutAndAllOfItAfterAKill() throws {
    let disk = SimulatedDisk()
    let file = try disk.open("/a", .create)
    try file.write([UInt8](repeating: 1, count: 3 * Self.page))
    try file.sync()
    try disk.syncDirectory("/")
    #expect(try disk.kill().open("/a", .read).residency(of: 0..<3 * Self.page) == .whole)
    let after = try disk.crash(.keepAll).open("/a", .read)
    #expect(after.residency(of: 0..<3 * Self.page) == .nothing)
    _ = try after.bytes(1, at: Self.page)
    #expect(after.residency(of: 0..<3 * Self.page) == .part)
  }

  /// Two ways to ask one kernel: of a file of which some pages were dropped.
  @Test func mincoreTellsWhatCachestatTells() throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let file = try PosixDisk().open("\(directory.path)/a", .create)
    let size = 5_000 * Self.page
    try file.write([UInt8](repeating: 1, count: size))
    try file.sync()
    let fd = try #require(try file.sendDescriptor(for: 0..<0))
    file.advise(.dontNeed, at: 8 << 20, count: 4 << 20)
    for (position, count) in [
      (0, 1), (0, size), (1, size - 1), (4_095, 2), (8 << 20, 4 << 20), ((8 << 20) + 5, 100),
      (size - 10, 10), (size - 10, 100_000), (7 << 20, 3 << 20),
    ] {
      let cached = mk_cached_pages_by_mincore(fd, Int64(position), Int64(count))
      #expect(cached == mk_cached_pages(fd, Int64(position), Int64(count)), "\(position) \(count)")
      #expect(cached >= 0)
    }
  }

  /// Of a file of another user that it may only read mincore says nothing that is true.
  @Test(.enabled(if: geteuid() == 0, "needs root"))
  func mincoreIsNotBelievedAboutFilesOfOthers() async {
    await #expect(processExitsWith: .success) {
      let directory = try TemporaryDirectory()
      try PosixDisk().put("\(directory.path)/a", [1, 2, 3])
      // Safe: the C strings live for the calls.
      guard unsafe chmod(directory.path, 0o755) == 0,
        unsafe chmod("\(directory.path)/a", 0o644) == 0, setuid(65_534) == 0
      else { exit(1) }
      let file = try PosixDisk().open("\(directory.path)/a", .read)
      guard let fd = try file.sendDescriptor(for: 0..<3) else { exit(2) }
      guard mk_cached_pages_by_mincore(fd, 0, 3) == -Int64(EPERM) else { exit(3) }
      exit(0)
    }
  }

  @Test func whatADiskDoesNotKnowIsNotCached() throws {
    let disk = SimulatedDisk()
    let file = try disk.open("/a", .create)
    try file.write([1, 2, 3])
    disk.knowsResidency = false
    #expect(file.residency(of: 0..<3) == nil)
    #expect(!file.isCached(at: 0, count: 3))
  }

  // MARK: Names

  @Test(arguments: DiskUnderTest.allCases)
  func aFileKnowsWhetherItsNamesLeadToIt(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      func names(_ file: any DiskFile) -> [Bool?] { [file.isAtPath(), file.isLinked()] }
      let file = try disk.open("\(base)/a", .create)
      #expect(names(file) == [true, true])
      try disk.rename("\(base)/a", to: "\(base)/b")
      #expect(names(file) == [false, true])
      try disk.put("\(base)/a")
      #expect(names(file) == [false, true], "another file has the name")
      try disk.rename("\(base)/a", to: "\(base)/b")
      #expect(names(file) == [false, false], "replaced")
      let moved = try disk.open("\(base)/b", .read)
      try disk.makeDirectory("\(base)/d")
      try disk.rename("\(base)/b", to: "\(base)/d/b")
      #expect(names(moved) == [false, true])
      try disk.remove("\(base)/d/b")
      #expect(names(moved) == [false, false])
      #expect(!moved.isStillNamed && moved.isUnlinked)
    }
  }

  // MARK: Holes

  @Test(arguments: DiskUnderTest.allCases)
  func holesAreWhereNothingWasWritten(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let file = try disk.open("\(base)/a", .create)
      #expect(file.firstHole(from: 0) == 0)
      try file.write([UInt8](repeating: 1, count: 2 * Self.page))
      #expect(file.firstHole(from: 0) == 2 * Self.page, "the end")
      #expect(file.firstHole(from: 5) == 2 * Self.page)
      #expect(file.firstHole(from: 2 * Self.page) == 2 * Self.page)
      #expect(file.firstHole(from: 50_000) == 50_000)
      try file.write([1], at: 100 * Self.page)
      #expect(file.firstHole(from: 0) == 2 * Self.page)
      #expect(file.firstHole(from: 3 * Self.page + 7) == 3 * Self.page + 7)
      #expect(file.firstHole(from: 100 * Self.page) == 100 * Self.page + 1)
    }
  }

  // MARK: Sending

  @Test(arguments: DiskUnderTest.allCases)
  func bytesAreSentUntilTheSocketIsFullOrTheFileEnds(_ kind: DiskUnderTest) throws {
    try kind.withDirectory { disk, base in
      let file = try disk.open("\(base)/a", .create)
      let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
      try file.write(bytes)
      var (ours, theirs) = try socketPair()
      defer { close(theirs) }
      #expect(try file.send(to: ours, from: 10, count: 5_000) == 5_000)
      #expect(received(theirs, 5_000) == Array(bytes[10..<5_010]))
      #expect(try file.send(to: ours, from: 99_990, count: 50) == 10, "the file ends")
      #expect(received(theirs, 10) == Array(bytes[99_990...]))
      var sent = 0
      while true {
        let count = try file.send(to: ours, from: 0, count: bytes.count)
        sent += count
        if count < bytes.count { break }
      }
      #expect(try sent > 0 && file.send(to: ours, from: 0, count: 100_000) == 0, "full")
      close(theirs)
      #expect(failure { _ = try file.send(to: ours, from: 0, count: 10) }?.operation == .send)
      close(ours)
      (ours, theirs) = (-1, -1)
    }
  }

  @Test func aDescriptorIsLentForBytesThatAreThere() throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let file = try PosixDisk().open("\(directory.path)/a", .create)
    try file.write([1, 2, 3])
    #expect(try file.sendDescriptor(for: 0..<3) != nil)
    #expect(
      failure { _ = try file.sendDescriptor(for: 1..<4) }
        == DiskError(.read, "\(directory.path)/a", code: EIO))
    let simulated = try SimulatedDisk().open("/a", .create)
    #expect(try simulated.sendDescriptor(for: 0..<0) == nil)
  }

  /// Both ends of a pair of connected sockets; ours does not block. SIGPIPE is ignored.
  private func socketPair() throws -> (Int32, Int32) {
    signal(SIGPIPE, SIG_IGN)
    var ends: [Int32] = [-1, -1]
    // Safe: the array has room for two descriptors.
    try #require(
      unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    try #require(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0)
    return (ends[0], ends[1])
  }

  private func received(_ socket: Int32, _ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    // Safe: the array has `count` bytes and lives for the call.
    let got = unsafe recv(socket, &bytes, count, Int32(truncatingIfNeeded: MSG_WAITALL))
    return Array(bytes.prefix(max(0, got)))
  }
}

/// The calls that cannot throw fail, are counted and can be held up like every other.
@Suite struct QuietCallTests {
  private static let questions: Set<DiskError.Operation> = [
    .residency, .advise, .names, .firstHole, .startSync,
  ]

  @Test func aQuestionThatFailsHasNoAnswer() throws {
    let disk = SimulatedDisk()
    let file = try disk.open("/a", .create)
    try file.write([1])
    disk.plan(FaultPlan(.error(EIO), at: 1, isForEver: true, operations: Self.questions))
    #expect(file.residency(of: 0..<1) == nil && file.firstHole(from: 0) == nil)
    #expect(file.isAtPath() == nil && file.isLinked() == nil)
    #expect(file.isStillNamed && !file.isUnlinked && !file.isCached(at: 0, count: 1))
    file.advise(.dontNeed, at: 0, count: 0)
    #expect(disk.faultsFired == 8)
  }

  /// sync_file_range starts it; fdatasync tells.
  @Test func anErrorOfAStartedSyncShowsAtTheNextSyncOnce() throws {
    for asksOnly in [false, true] {
      let disk = SimulatedDisk()
      let file = try disk.open("/a", .create)
      try file.sync()
      try file.write([1, 2])
      disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.startSync]))
      file.startSync()
      #expect(disk.faultFired)
      let error = failure { try asksOnly ? file.checkWritten() : file.sync() }
      #expect(error == DiskError(asksOnly ? .checkWritten : .sync, "/a", code: EIO))
      try file.sync()
      #expect(disk.durableContents(of: "/a") == [], "marked clean without being durable")
    }
  }

  @Test func aStartedSyncMakesNothingDurableAndNoCallMore() throws {
    let disk = SimulatedDisk()
    let file = try disk.open("/a", .create)
    try file.write([1, 2])
    let changing = disk.operationCount
    file.startSync()
    #expect(disk.operationCount == changing && !disk.unsyncedItems.isEmpty)
    try file.sync()
    #expect(disk.durableContents(of: "/a") == [1, 2])
  }

  @Test func eachIsCountedByBothDisks() throws {
    let disk = SimulatedDisk()
    let counting = CountingDisk(disk)
    let file = try counting.open("/a", .create)
    _ = file.residency(of: 0..<1)
    file.advise(.normal, at: 0, count: 0)
    _ = file.isAtPath()
    _ = file.firstHole(from: 0)
    file.startSync()
    try file.checkWritten()
    _ = try file.sendDescriptor(for: 0..<0)
    for operation in Self.questions.union([.checkWritten, .send]) {
      #expect(disk.counters.calls[operation] == 1, "\(operation)")
      #expect(counting.counters.calls[operation] == 1, "\(operation)")
    }
  }

  @Test func everyCallCanBeHeldUp() throws {
    let disk = SimulatedDisk()
    let seen = Seen()
    disk.beforeEachCall { seen.calls.append($0) }
    let file = try disk.open("/a", .create)
    try file.write([1])
    _ = file.residency(of: 0..<1)
    try file.sync()
    disk.beforeEachCall(nil)
    try file.sync()
    #expect(seen.calls.map(\.description) == ["create /a", "write /a", "residency /a", "sync /a"])
  }

  /// Safe: used on the test's own thread alone.
  private final class Seen: @unchecked Sendable {
    var calls: [DiskCall] = []
  }
}
