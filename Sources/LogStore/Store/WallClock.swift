internal import Glibc

/// The system's clock.
package enum WallClock {
  /// Milliseconds since 1970 UTC.
  package static func nowMs() -> Int64 {
    var now = timespec()
    // Safe: the call fills the struct it is given.
    _ = unsafe clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
  }
}
