import CMkstoreShims
import DiskIO
import Glibc
import StoreTesting
import Testing

/// The thread calls of CMkstoreShims; those that change the calling thread run in a child process.
@Suite struct ThreadShimTests {
  /// Processors that the calling thread may run on.
  static func allowed() -> [Int32] {
    var cpus = [Int32](repeating: -1, count: 4_096)
    // Safe: the shim writes at most as many as it is told.
    let count = unsafe mk_allowed_cpus(&cpus, Int32(cpus.count))
    return count < 0 ? [] : Array(cpus.prefix(Int(count)))
  }

  @Test func allowedProcessorsAscendAndAreCountedBeyondTheRoom() {
    let cpus = Self.allowed()
    #expect(!cpus.isEmpty && cpus[0] >= 0)
    #expect(cpus == Set(cpus).sorted())
    var none: Int32 = -7
    #expect(unsafe mk_allowed_cpus(&none, 0) == Int32(cpus.count))
    #expect(none == -7)
  }

  @Test func aPinnedThreadRunsThereOnly() async {
    await #expect(processExitsWith: .success) {
      for cpu in ThreadShimTests.allowed().reversed() {
        guard mk_pin_thread(cpu) == 0 else { exit(1) }
        guard mk_current_cpu() == cpu, ThreadShimTests.allowed() == [cpu] else { exit(2) }
      }
      guard mk_pin_thread(-1) == EINVAL, mk_pin_thread(1 << 16) == EINVAL else { exit(3) }
    }
  }

  @Test func aThreadNameIsCutAtFifteenBytes() async {
    await #expect(processExitsWith: .success) {
      // Safe: the C string lives for the call.
      guard unsafe mk_set_thread_name("mkstore-flusher-12345") == 0 else { exit(1) }
      let comm = try PosixDisk().open("/proc/self/task/\(mk_thread_id())/comm", .read).bytes(100)
      guard String(decoding: comm, as: UTF8.self) == "mkstore-flusher\n" else { exit(2) }
    }
  }

  @Test func theMonotonicClockNeverGoesBack() {
    var last = mk_monotonic_ns()
    for _ in 0..<10_000 {
      let now = mk_monotonic_ns()
      #expect(now >= last)
      last = now
      mk_cpu_pause()
    }
  }

  @Test func aTimedWaitEndsAfterItsTimeAndNotBefore() {
    // Safe, here and below: made, used by this thread alone and destroyed.
    let monitor = unsafe mk_monitor_create()
    unsafe mk_monitor_lock(monitor)
    let start = mk_monotonic_ns()
    while unsafe mk_monitor_wait_for(monitor, 2_000_000) {}
    #expect(mk_monotonic_ns() - start >= 2_000_000)
    #expect(unsafe !mk_monitor_wait_for(monitor, -5))
    unsafe mk_monitor_unlock(monitor)
    unsafe mk_monitor_destroy(monitor)
  }

  @Test func theBootIdentifierStays() {
    #expect(mk_boot_identifier() == mk_boot_identifier())
    #expect(mk_boot_identifier() != 0)
  }
}
