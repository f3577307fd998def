import CMkstoreShims
import DiskIO
import Glibc
import StoreTesting
import Testing

/// What only a real file system can show.
@Suite struct PosixDiskTests {
  let disk = PosixDisk()

  func withDirectory(_ body: (String) throws -> Void) throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    try body(directory.path)
  }

  /// Permission bits and blocks of 512 bytes.
  static func raw(_ path: String) -> (mode: UInt32, blocks: Int) {
    var found = stat()
    // Safe: `found` and the C string live for the call.
    guard unsafe lstat(path, &found) == 0 else { return (0, -1) }
    return (found.st_mode & 0o7777, Int(found.st_blocks))
  }

  @Test func modesArePrivateWhateverTheUmask() async throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    await #expect(processExitsWith: .success) { [path = directory.path as String] in
      umask(0)
      let disk = PosixDisk()
      try disk.put("\(path)/a")
      try disk.makeDirectory("\(path)/d")
      _ = try disk.lock("\(path)/.lock")
      guard PosixDiskTests.raw("\(path)/a").mode == 0o640 else { exit(1) }
      guard PosixDiskTests.raw("\(path)/d").mode == 0o750 else { exit(2) }
      guard PosixDiskTests.raw("\(path)/.lock").mode == 0o640 else { exit(3) }
    }
  }

  @Test func descriptorsAreClosedOnExecAndWithTheFile() throws {
    try withDirectory { base in
      var file: (any DiskFile)? = try disk.open("\(base)/a", .create)
      let fd = try #require(try file?.sendDescriptor(for: 0..<0))
      #expect(fcntl(fd, F_GETFD) & FD_CLOEXEC != 0)
      file = nil
      // Another test may have been given the number meanwhile: then it is another file.
      var found = mk_file_status()
      let code = unsafe mk_status_of_descriptor(fd, &found)
      var mine = mk_file_status()
      #expect(unsafe mk_status("\(base)/a", &mine) == 0)
      #expect(code == EBADF || found.inode != mine.inode || found.device != mine.device)
    }
  }

  @Test func aFifoOrDeviceIsRefusedWithoutWaiting() throws {
    try withDirectory { base in
      // Safe: the C string lives for the call.
      try #require(unsafe mkfifo("\(base)/00000000000000000000.log", 0o640) == 0)
      for path in ["\(base)/00000000000000000000.log", "/dev/zero"] {
        for mode in [OpenMode.read, .readWrite] {
          let error = failure { _ = try disk.open(path, mode) }
          #expect(error == DiskError(.open, path, code: ENOTSUP))
        }
      }
      #expect(failure { _ = try disk.lock("\(base)/00000000000000000000.log") }?.code == ENOTSUP)
      #expect(try disk.list(base).map(\.kind) == [.other])
      #expect(try disk.status("/dev/zero")?.kind == .other)
    }
  }

  @Test func onlyReadingFollowsASymbolicLink() throws {
    try withDirectory { base in
      try disk.put("\(base)/target", [1])
      // Safe, here and below: the C strings live for the call.
      try #require(unsafe symlink("\(base)/target", "\(base)/link") == 0)
      try #require(unsafe symlink("\(base)/nothing", "\(base)/dangling") == 0)
      #expect(try disk.contents("\(base)/link") == [1])
      #expect(failure { _ = try disk.open("\(base)/link", .readWrite) }?.code == ELOOP)
      #expect(failure { _ = try disk.lock("\(base)/link") }?.code == ELOOP)
      #expect(failure { _ = try disk.open("\(base)/link", .create) }?.code == EEXIST)
      #expect(failure { _ = try disk.open("\(base)/dangling", .create) }?.code == EEXIST)
      #expect(try disk.status("\(base)/link")?.kind == .file)
      #expect(try disk.status("\(base)/dangling") == nil)
      let kinds = try disk.list(base).sorted { $0.name < $1.name }.map(\.kind)
      #expect(kinds == [.symbolicLink, .symbolicLink, .file])
    }
  }

  @Test func runningOutOfDescriptorsIsAnError() async throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    await #expect(processExitsWith: .success) { [path = directory.path as String] in
      let disk = PosixDisk()
      try disk.put("\(path)/a")
      var limit = rlimit(rlim_cur: 64, rlim_max: 64)
      // Safe: `limit` lives for the call.
      guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
        exit(1)
      }
      var files: [any DiskFile] = []
      do throws(DiskError) {
        while files.count < 64 { files.append(try disk.open("\(path)/a", .read)) }
        exit(2)
      } catch {
        guard error == DiskError(.open, "\(path)/a", code: EMFILE) else { exit(3) }
      }
      guard failure({ _ = try disk.list(path) })?.code == EMFILE else { exit(4) }
      guard failure({ try disk.syncDirectory(path) })?.code == EMFILE else { exit(5) }
      files.removeLast()
      _ = try disk.open("\(path)/a", .read)
    }
  }

  @Test func aShortWriteGoesOnUntilTheSystemSaysWhy() async throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    await #expect(processExitsWith: .success) { [path = directory.path as String] in
      let file = try PosixDisk().open("\(path)/a", .create)
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 6_000, rlim_max: 6_000)
      // Safe: `limit` lives for the call.
      guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else {
        exit(1)
      }
      // The first pwrite takes 6,000 bytes and says so; only the second fails.
      let error = failure { try file.write([UInt8](repeating: 7, count: 10_000)) }
      guard error == DiskError(.write, "\(path)/a", code: EFBIG) else { exit(2) }
      guard try file.contents() == [UInt8](repeating: 7, count: 6_000) else { exit(3) }
    }
  }

  @Test func allocateLeavesNoHole() throws {
    try withDirectory { base in
      let file = try disk.open("\(base)/a", .create)
      try file.write([1], at: 300_000)  // a hole in front
      try file.allocate(to: 1 << 20)
      #expect(Self.raw("\(base)/a").blocks * 512 >= 1 << 20)
      #expect(try file.bytes(1, at: 300_000) == [1])
    }
  }

  @Test func manyThreadsShareOneFile() async throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    try await Self.useFromManyThreads(disk.open("\(directory.path)/a", .create))
    try await Self.useFromManyThreads(SimulatedDisk().open("/a", .create))
  }

  static func useFromManyThreads(_ file: any DiskFile) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for lane in 0..<8 as Range<UInt8> {
        group.addTask {
          for round in 0..<50 {
            let position = (round * 8 + Int(lane)) * 1_000
            try file.write([UInt8](repeating: lane, count: 1_000), at: position)
            let back = try file.bytes(1_000, at: position)
            #expect(back == [UInt8](repeating: lane, count: 1_000))
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try file.size() == 400_000)
  }
}
