import Foundation
import MkstoreProcessTesting
import Testing

/// Programs run as processes of their own, whatever this process has open.
struct ChildProcessTests {
  /// Foundation's `Process` crashes from some 1,400 descriptors on.
  @Test func aChildHasNoneOfManyDescriptors() throws {
    var limits = rlimit()
    // Safe: the kernel fills and reads the value, for the call.
    #expect(unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0)
    let before = limits
    limits.rlim_cur = max(limits.rlim_cur, min(4096, limits.rlim_max))
    #expect(unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0)
    defer { _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), [before]) }
    var opened: [Int32] = []
    defer { for descriptor in opened { close(descriptor) } }
    for _ in 0..<2000 {
      // Safe: the C string lives for the call. Inherited by a child that does not close it.
      let descriptor = unsafe open("/dev/null", O_RDONLY)
      try #require(descriptor >= 0)
      opened.append(descriptor)
    }
    // The shell's list of its own: the three streams, and the folder that it reads.
    let outcome = try Tool.bash("cd /proc/self/fd && echo *")
    #expect(outcome.status == 0 && outcome.text == "0 1 2 3\n", "\(outcome)")
  }

  @Test func anEndBySignalIsTold() throws {
    let child = try ChildProcess("/bin/sh", ["-c", "kill -TERM $$"])
    #expect(child.wait() == .signalled(SIGTERM))
    #expect(child.wait().status == -SIGTERM && !child.isRunning)
    #expect(try ChildProcess("/bin/sh", ["-c", "exit 7"]).wait() == .exited(7))
  }

  @Test func aMissingProgramIsAnError() {
    #expect(throws: POSIXError.self) { try ChildProcess("/missing/program", []) }
  }
}
