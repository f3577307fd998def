import Glibc
import Synchronization

/// Ctrl-C and SIGTERM: the command finishes its current work, reports what was done, and ends.
enum Interrupt {
  // Relaxed everywhere: a flag that orders nothing.
  private static let flag = Atomic<Bool>(false)

  /// Whether the user asked to stop.
  static var isSet: Bool { flag.load(ordering: .relaxed) }

  /// Throws if the user asked to stop.
  static func check() throws(CommandFailure) {
    if isSet { throw CommandFailure.interrupted }
  }

  /// From now on the first SIGINT or SIGTERM sets the flag and wakes a blocked read; a second one
  /// ends the process.
  static func install() {
    // Made before a handler can need it.
    _ = isSet
    var unblocked = sigset_t()
    // Safe: the calls fill and change the set they are given.
    unsafe sigemptyset(&unblocked)
    for number in [SIGINT, SIGTERM] where !isIgnored(number) {
      unsafe sigaddset(&unblocked, number)
      var action = sigaction()
      // Safe: the handler only stores to an atomic, which a signal handler may do.
      unsafe action.__sigaction_handler.sa_handler = { _ in
        Interrupt.flag.store(true, ordering: .relaxed)
      }
      // No SA_RESTART: a blocked read must return.
      action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND))
      // Safe: the call copies the struct.
      _ = unsafe sigaction(number, &action, nil)
    }
    // A parent may pass on a mask in which they are blocked, as thread pools do.
    // Safe: the call reads the set.
    _ = unsafe pthread_sigmask(SIG_UNBLOCK, &unblocked, nil)
  }

  /// Whether the shell or nohup has disabled the signal.
  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    // Safe: the call fills the struct it is given; the handlers are compared as addresses only.
    guard unsafe sigaction(number, nil, &action) == 0 else { return false }
    return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
      == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// Makes a closed reader, and a file that grows beyond `ulimit -f`, errors of write instead of
  /// killing the process.
  static func ignoreFailedWrites() {
    _ = signal(SIGPIPE, SIG_IGN)
    _ = signal(SIGXFSZ, SIG_IGN)
  }
}
