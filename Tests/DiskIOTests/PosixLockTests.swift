import DiskIO
import Glibc
import Testing

/// P33: locks between processes. Each test's exit closure runs in a child process.
@Suite struct PosixLockTests {
  let disk = PosixDisk()

  /// Takes the lock as Java's `FileChannel.tryLock()` does: POSIX, exclusive, the whole file.
  static func javaLock(_ path: String) -> (fd: Int32, code: Int32) {
    // Safe: the C string and `lock` live for the calls.
    let fd = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
    var lock = flock()
    lock.l_type = Int16(F_WRLCK)
    lock.l_whence = Int16(SEEK_SET)
    let result = unsafe withUnsafeMutablePointer(to: &lock) { unsafe fcntl(fd, F_SETLK, $0) }
    return (fd, result == 0 ? 0 : errno)
  }

  @Test func anotherProcessIsRefusedAndToldOurPid() async throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let path = "\(directory.path)/.lock"
    let lock = try disk.lock(path)
    await #expect(processExitsWith: .success) { [path = path as String] in
      let error = failure { _ = try PosixDisk().lock(path) }
      guard error == DiskError(.lock, path, code: EAGAIN, holder: getppid()) else { exit(1) }
    }
    lock.release()
    await #expect(processExitsWith: .success) { [path = path as String] in
      _ = try PosixDisk().lock(path)
    }
  }

  @Test func aKafkaBrokerIsRefusedAndRefusesUs() async throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let path = "\(directory.path)/.lock"
    let lock = try disk.lock(path)
    await #expect(processExitsWith: .success) { [path = path as String] in
      guard PosixLockTests.javaLock(path).code == EAGAIN else { exit(1) }
    }
    lock.release()
    let (fd, code) = Self.javaLock(path)
    #expect(code == 0)
    await #expect(processExitsWith: .success) { [path = path as String] in
      let error = failure { _ = try PosixDisk().lock(path) }
      guard error == DiskError(.lock, path, code: EAGAIN, holder: getppid()) else { exit(1) }
    }
    close(fd)
    _ = try disk.lock(path)
  }

  @Test func closingAnotherDescriptorOfTheFileDoesNotDropTheLock() async throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let path = "\(directory.path)/.lock"
    let lock = try disk.lock(path)
    _ = try disk.contents(path)
    #expect(failure { _ = try disk.lock(path) }?.code == EAGAIN)
    await #expect(processExitsWith: .success) { [path = path as String] in
      guard failure({ _ = try PosixDisk().lock(path) })?.code == EAGAIN else { exit(1) }
      guard PosixLockTests.javaLock(path).code == EAGAIN else { exit(2) }
    }
    withExtendedLifetime(lock) {}
  }

  @Test func theLockOfAKilledProcessIsFree() async throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let path = "\(directory.path)/.lock"
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let lock = try PosixDisk().lock(path)
      kill(getpid(), SIGKILL)
      withExtendedLifetime(lock) {}
    }
    _ = try disk.lock(path)
  }

  @Test func anotherNameOfTheFileIsTheSameLock() throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let path = "\(directory.path)/.lock"
    let lock = try disk.lock(path)
    // Safe: the C strings live for the call.
    try #require(unsafe link(path, "\(path)2") == 0)
    #expect(failure { _ = try disk.lock("\(path)2") }?.holder == getpid())
    withExtendedLifetime(lock) {}
  }

  @Test func ofManyThreadsOneGetsTheLock() async throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let path = "\(directory.path)/.lock"
    for _ in 0..<20 {
      let locks = await withTaskGroup(of: (any DiskLock)?.self) { group in
        for _ in 0..<8 {
          group.addTask {
            do { return try PosixDisk().lock(path) } catch { return nil }
          }
        }
        return await group.reduce(into: []) { if let lock = $1 { $0.append(lock) } }
      }
      #expect(locks.count == 1)
    }
  }
}
