import CMkstoreShims
import DiskIO
import Glibc
import StoreTesting
import Testing

/// Mapped files that are cut or unreadable are errors of the file, and whoever else handles SIGBUS
/// still gets what is theirs.
@Suite struct MappingGuardTests {
  private static let bytes = 3 * 4_096

  /// A mapped file of three pages, of which `harm` takes some away.
  private func withHarmed(
    _ kind: DiskUnderTest, _ harm: (any Disk, String) throws -> Void,
    _ body: (MappedRegion, String) throws -> Void
  ) throws {
    try MappingGuard.install()
    try kind.withDirectory { disk, base in
      let path = "\(base)/a.index"
      try disk.put(path, (0..<Self.bytes).map { UInt8(truncatingIfNeeded: $0 / 16) })
      let region = try disk.open(path, .readWrite).map(capacity: Self.bytes, writable: true)
      #expect(try region.load(bigEndian: UInt8.self, at: 16) == 1)
      try harm(disk, path)
      try body(region, path)
    }
  }

  private func cut(_ disk: any Disk, _ path: String, to size: Int) throws {
    if let disk = disk as? SimulatedDisk {
      try disk.cut(path, to: size)
    } else {
      try disk.open(path, .readWrite).truncate(to: size)
    }
  }

  @Test(arguments: DiskUnderTest.allCases)
  func loadsAndStoresOfACutFileThrow(_ kind: DiskUnderTest) throws {
    try withHarmed(kind, { try cut($0, $1, to: 4_096) }) { region, path in
      let expected = DiskError(.access, path, code: EFAULT)
      for position in [4_096, 4_089, 8_192, Self.bytes - 8] {
        let place = "at \(position)"
        #expect(throws: expected, "\(place)") {
          try region.load(bigEndian: UInt64.self, at: position)
        }
        #expect(throws: expected, "\(place)") {
          try region.store(bigEndian: UInt64(1), at: position)
        }
      }
      #expect(throws: expected) { try region.load(bigEndian: UInt8.self, at: 4_096) }
      #expect(throws: expected) { try region.load(bigEndian: UInt16.self, at: 4_095) }
      #expect(throws: expected) { try region.load(bigEndian: UInt32.self, at: 5_000) }
      var copy = [UInt8](repeating: 0, count: 100)
      var span = copy.mutableSpan
      #expect(throws: expected) { try region.copy(to: &span, from: 4_000) }
      #expect(throws: expected) { try region.copy(from: [1, 2, 3].span, to: 4_095) }
      // What is still there is read and written.
      #expect(try region.load(bigEndian: UInt64.self, at: 4_080) == 0xffff_ffff_ffff_ffff)
      try region.store(bigEndian: UInt32(7), at: 4_092)
      #expect(try region.load(bigEndian: UInt32.self, at: 4_092) == 7)
    }
  }

  @Test func anUnreadableFileThrows() throws {
    let harm = { (disk: any Disk, path: String) in
      try #require(disk as? SimulatedDisk).makeUnreadable(path)
      let file = try disk.open(path, .read)
      #expect(code { _ = try file.bytes(1) } == EIO)
      let region = try file.map(capacity: 4_096, writable: false)
      #expect(throws: DiskError.self) { try region.load(bigEndian: UInt8.self, at: 0) }
    }
    try withHarmed(.simulated, harm) { region, path in
      #expect(throws: DiskError(.access, path, code: EFAULT)) {
        try region.load(bigEndian: UInt32.self, at: 0)
      }
    }
  }

  @Test func theErrorSaysWhatHappened() {
    #expect(
      "\(DiskError(.access, "/d/a.index", code: EFAULT))"
        == "access the mapping of /d/a.index: Bad address (another process cut the file, or the "
        + "disk cannot read it)")
  }

  /// Both ways to copy, of every size that has instructions of its own and others.
  @Test(arguments: 0...40)
  func bothWaysCopyEverySize(_ count: Int) throws {
    let source = (0..<64).map { UInt8($0 + 1) }
    for isPortable in [false, true] {
      var target = [UInt8](repeating: 0, count: 64)
      // Safe: both arrays have more than `count + 3` bytes and live for the call.
      let code = unsafe target.withUnsafeMutableBytes { target in
        unsafe source.withUnsafeBytes { source in
          unsafe copy(
            target.baseAddress! + 1, source.baseAddress! + 3, count, isPortable: isPortable)
        }
      }
      #expect(code == 0)
      #expect(Array(target[1..<1 + count]) == Array(source[3..<3 + count]))
      #expect(target[0] == 0 && target[(1 + count)...].allSatisfy { $0 == 0 })
    }
  }

  @Test(arguments: [1, 4, 8, 12, 16, 33])
  func bothWaysSurviveAFault(_ count: Int) throws {
    try MappingGuard.install()
    // Safe: a page of our own, unmapped at the end, and arrays that live for the calls.
    let page = unsafe mk_map_anonymous(4_096)!
    defer { unsafe mk_unmap(page, 4_096) }
    let code = unsafe mk_make_faulting(page, 4_096)
    #expect(code == 0)
    for isPortable in [false, true] {
      for _ in 0..<3 {
        var bytes = [UInt8](repeating: 0, count: 64)
        let codes = unsafe bytes.withUnsafeMutableBytes { bytes in
          [
            unsafe copy(bytes.baseAddress!, page, count, isPortable: isPortable),
            unsafe copy(page, bytes.baseAddress!, count, isPortable: isPortable),
          ]
        }
        #expect(codes == [1, 1], "portable \(isPortable)")
      }
    }
  }

  private func copy(
    _ target: UnsafeMutableRawPointer, _ source: UnsafeRawPointer, _ count: Int, isPortable: Bool
  ) -> Int32 {
    // Safe: as the caller says.
    isPortable
      ? unsafe mk_guarded_copy_portable(target, source, count)
      : unsafe mk_guarded_copy(target, source, count)
  }

  // MARK: Handing on. Each in a process of its own.

  @Test func aFaultElsewhereStillEndsTheProcess() async {
    await #expect(processExitsWith: .signal(SIGBUS)) {
      try MappingGuard.install()
      faultOutside()
    }
  }

  @Test func aSignalThatIsSentStillEndsTheProcess() async {
    await #expect(processExitsWith: .signal(SIGBUS)) {
      try MappingGuard.install()
      raise(SIGBUS)
    }
  }

  @Test func anIgnoredSignalStaysIgnoredAndAFaultDoesNot() async {
    await #expect(processExitsWith: .signal(SIGBUS)) {
      signal(SIGBUS, SIG_IGN)
      try MappingGuard.install()
      raise(SIGBUS)
      faultOutside()
    }
    await #expect(processExitsWith: .success) {
      signal(SIGBUS, SIG_IGN)
      try MappingGuard.install()
      raise(SIGBUS)
    }
  }

  @Test func thePlainHandlerBeforeGetsWhatIsNotOurs() async {
    await #expect(processExitsWith: .exitCode(41)) {
      signal(SIGBUS) { _ in _exit(41) }
      for _ in 0..<3 { try MappingGuard.install() }
      let region = MappedRegion(heapCapacity: 4_096)
      try region.makeFaulting(from: 0)
      do {
        _ = try region.load(bigEndian: UInt8.self, at: 0)
        _exit(1)
      } catch is DiskError {
        faultOutside()
      }
    }
  }

  @Test func theHandlerWithDetailsBeforeGetsThem() async {
    await #expect(processExitsWith: .exitCode(42)) {
      handleWithDetails()
      try MappingGuard.install()
      faultOutside()
    }
  }
}

/// Touches a page without bytes by an ordinary load.
private func faultOutside() {
  // Safe: it is meant to end the process; the page is mapped.
  let page = unsafe mk_map_anonymous(4_096)!
  let code = unsafe mk_make_faulting(page, 4_096)
  precondition(code == 0)
  let value = unsafe page.load(as: UInt8.self)
  _exit(value == 0 ? 2 : 3)
}

/// Sets a handler that leaves with 42 where it gets all that the kernel tells.
private func handleWithDetails() {
  // Safe: a handler that only leaves, and values that live for the call.
  var action = sigaction()
  unsafe action.__sigaction_handler.sa_sigaction = { number, info, context in
    let isComplete = unsafe number == SIGBUS && info != nil && context != nil
    _exit(isComplete ? 42 : 1)
  }
  action.sa_flags = SA_SIGINFO
  let code = unsafe sigaction(SIGBUS, &action, nil)
  precondition(code == 0)
}
