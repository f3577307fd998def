internal import CMkstoreProcessTesting
public import Foundation
internal import Glibc

/// A program that runs as a process of its own, started by `posix_spawn`.
///
/// Not Foundation's `Process`: on Linux that crashes where some 1,400 descriptors are open, which a
/// test process has. Every descriptor but the three standard streams is closed in the child, and
/// signals have their default meaning there. Owned by one thread at a time.
public final class ChildProcess {
  /// How a process ended.
  public enum Ending: Equatable, Sendable {
    case exited(Int32)
    case signalled(Int32)

    /// The exit status; of a process that a signal ended, the signal's number below zero.
    public var status: Int32 {
      switch self {
      case .exited(let status): status
      case .signalled(let signal): -signal
      }
    }
  }

  /// Its process id.
  public let id: Int32
  private var ending: Ending?

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - executable: Path of the program.
  ///   - environment: Variables beside those of this process.
  ///   - directory: Where it runs; nil: where this process does.
  ///   - input: Its standard input; nil: /dev/null. The caller closes all three handles.
  ///   - output: Its standard output; nil: /dev/null.
  ///   - messages: Its standard error; nil: /dev/null.
  /// - Throws: `POSIXError`, where there is no such program among others.
  public init(
    _ executable: String, _ arguments: [String], environment: [String: String] = [:],
    directory: String? = nil, input: FileHandle? = nil, output: FileHandle? = nil,
    messages: FileHandle? = nil
  ) throws {
    let streams = [input, output, messages].map { $0?.fileDescriptor ?? -1 }
    precondition(!streams.contains { 0...2 ~= $0 }, "\(streams): the child's replace these first")
    let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
      .map { "\($0.key)=\($0.value)" }
    // Safe: copies of our own, which end with a null and are freed below; the callee keeps nothing.
    let argumentList = unsafe ([executable] + arguments).map { unsafe strdup($0) } + [nil]
    let variableList = unsafe variables.map { unsafe strdup($0) } + [nil]
    defer { unsafe (argumentList + variableList).forEach { unsafe free($0) } }
    var id: Int32 = 0
    let error = unsafe spawn_child(
      &id, executable, argumentList, variableList, directory, streams)
    guard error == 0 else { throw POSIXError(POSIXErrorCode(rawValue: error) ?? .EINVAL) }
    self.id = id
  }

  /// A test that fails half-way leaves no process behind.
  deinit {
    guard isRunning else { return }
    signal(SIGKILL)
    _ = wait()
  }

  /// Sends a signal; nothing where the process has ended.
  public func signal(_ number: Int32) {
    if isRunning { kill(id, number) }
  }

  /// Whether it has not ended yet.
  public var isRunning: Bool { look(WNOHANG) == nil }

  /// Waits for its end.
  public func wait() -> Ending {
    while true {
      if let ending = look(0) { return ending }
    }
  }

  private func look(_ options: Int32) -> Ending? {
    if let ending { return ending }
    var status: Int32 = 0
    // Safe: the kernel writes one integer, for the call.
    let found = unsafe waitpid(id, &status, options)
    if found == -1 {
      precondition(errno == EINTR, "waitpid(\(id)): errno \(errno)")
      return nil
    }
    guard found == id else { return nil }
    let signal = status & 0x7F
    ending = signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal)
    return ending
  }
}
