import Glibc

/// The few calls on descriptors that the command makes itself: all access to logs goes through
/// DiskIO, but standard streams and pipes are not files of a store.
enum StandardStreams {
  static let input: Int32 = 0
  static let output: Int32 = 1
  static let error: Int32 = 2

  /// Opens closed standard streams on `/dev/null`, before other files get their numbers: messages
  /// would be written into a file of the store.
  ///
  /// Printed output is then discarded, as requested. Reading is an error (EBADF), as with a closed
  /// descriptor: a command without an input must not take it for an empty one.
  static func openClosed() {
    for descriptor in [input, output, error] where fcntl(descriptor, F_GETFD) < 0 {
      // Safe: the call reads the NUL-terminated copy that Swift makes of the path. It returns the
      // lowest free number, which is `descriptor`, since those below it are open.
      let opened = unsafe Glibc.open("/dev/null", O_WRONLY)
      // Without devices (in a container, for example) a directory keeps the number, and accepts no
      // writes.
      if opened < 0 { _ = unsafe Glibc.open("/", O_RDONLY) }
    }
  }

  /// The result of one attempt to read.
  enum ReadOutcome {
    case bytes(Int)
    case end
    /// A signal came first.
    case interrupted
    case failed(Int32)
  }

  /// The result of waiting for input.
  enum WaitOutcome {
    case ready, timedOut, interrupted
  }

  /// Writes all of `bytes`, however many calls that takes.
  ///
  /// - Returns: 0 or the error number.
  static func writeAll(_ bytes: Span<UInt8>, to descriptor: Int32) -> Int32 {
    write(bytes, to: descriptor).code
  }

  /// Writes all of `bytes`, however many calls that takes.
  ///
  /// - Returns: How many were written, and 0 or the error number that ended it.
  static func write(
    _ bytes: Span<UInt8>, to descriptor: Int32
  ) -> (written: Int, code: Int32) {
    var done = 0
    while done < bytes.count {
      let rest = bytes.extracting(done...)
      // Safe: the kernel reads at most `count` bytes of the span, which lives through the call.
      let written = unsafe rest.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      if written >= 0 {
        done += written
      } else if errno == EAGAIN {
        // Another process made the shared end of a pipe or terminal non-blocking.
        _ = wait(descriptor, events: Int16(POLLOUT), timeoutMs: -1)
      } else if errno != EINTR {
        return (done, errno)
      }
    }
    return (done, 0)
  }

  /// Reads what is available, at most `buffer`'s size; blocks while nothing is.
  static func read(_ descriptor: Int32, into buffer: inout MutableSpan<UInt8>) -> ReadOutcome {
    while true {
      // Safe: the kernel writes at most `count` bytes to the span, which lives through the call.
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
      }
      if count > 0 { return .bytes(count) }
      if count == 0 { return .end }
      switch errno {
      case EINTR: return .interrupted
      case EAGAIN: _ = wait(descriptor, events: Int16(POLLIN), timeoutMs: -1)
      default: return .failed(errno)
      }
    }
  }

  /// Waits until `descriptor` has input, ends or fails.
  ///
  /// - Parameter timeoutMs: −1 for ever.
  static func waitForInput(_ descriptor: Int32, timeoutMs: Int) -> WaitOutcome {
    wait(descriptor, events: Int16(POLLIN), timeoutMs: timeoutMs)
  }

  private static func wait(_ descriptor: Int32, events: Int16, timeoutMs: Int) -> WaitOutcome {
    var entry = pollfd(fd: descriptor, events: events, revents: 0)
    // Safe: one entry, filled by the call.
    let count = unsafe poll(&entry, 1, Int32(clamping: timeoutMs))
    if count > 0 { return .ready }
    if count == 0 { return .timedOut }
    return errno == EINTR ? .interrupted : .ready
  }

  /// Opens a file, pipe or device for reading.
  ///
  /// - Returns: The descriptor, or the error number negated.
  static func open(_ path: String) -> Int32 {
    // Safe: the call reads the NUL-terminated copy that Swift makes of the path.
    let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
    return descriptor < 0 ? -errno : descriptor
  }

  /// Closes a descriptor from `open`.
  static func close(_ descriptor: Int32) {
    // Only read from: closing it cannot lose data.
    _ = Glibc.close(descriptor)
  }

  /// Whether `descriptor` is a terminal.
  static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

  /// Columns of the terminal at `descriptor`; 80 if unknown.
  static func columns(_ descriptor: Int32) -> Int {
    var size = winsize()
    // Safe: the call fills the struct it is given.
    let code = unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size)
    return code == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }

  /// Size of the regular file at `descriptor`; nil for pipes and the like.
  static func fileSize(_ descriptor: Int32) -> Int? {
    var status = stat()
    // Safe: the call fills the struct it is given.
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      return nil
    }
    return Int(status.st_size)
  }

  /// Sleeps; a signal ends it early.
  static func sleep(milliseconds: Int) {
    var time = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
    // Safe: the call reads one struct and writes nothing.
    _ = unsafe nanosleep(&time, nil)
  }

  /// The path without symbolic links, `.` and `..`; nil if it does not exist.
  static func realPath(_ path: String) -> String? {
    // Safe: with NULL the call returns a new NUL-terminated text, which is freed here.
    guard let text = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(text) }
    return unsafe String(validatingCString: text)
  }
}
