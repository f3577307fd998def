import CMkstoreShims
import DiskIO
import Glibc
import StoreTesting
import Testing

/// Where a process was started without standard streams, no file of a store gets their numbers.
@Suite struct StandardDescriptorTests {
  @Test func noFileIsGivenAClosedStandardStreamsNumber() async throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    await #expect(processExitsWith: .success) { [path = directory.path as String] in
      for descriptor in 0..<3 as Range<Int32> { close(descriptor) }
      let disk = PosixDisk()
      var files: [any DiskFile] = []
      for number in 0..<4 { files.append(try disk.open("\(path)/\(number)", .create)) }
      files.append(try disk.open("\(path)/0", .read))
      for file in files {
        guard let descriptor = try file.sendDescriptor(for: 0..<0), descriptor > 2 else { exit(1) }
        guard fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0 else { exit(2) }
      }
      let lock = try disk.lock("\(path)/.lock")
      try disk.syncDirectory(path)
      let shared = try disk.sharedSync(of: "\(path)/0")
      // Whoever prints now writes into no file. (The runtime may have made itself a timer there.)
      for descriptor in 0..<3 as Range<Int32> {
        var found = mk_file_status()
        // Safe: `found` lives for the call.
        let code = unsafe mk_status_of_descriptor(descriptor, &found)
        guard code == EBADF || found.kind == Int32(MK_OTHER.rawValue) else { exit(3) }
      }
      lock.release()
      withExtendedLifetime((files, shared)) {}
    }
  }
}
