import DiskIO
import LogStore
import RecordFormat

/// Why a command ends early: the exit status and one message for people.
struct CommandFailure: Error, Sendable {
  /// The process's exit status.
  var status: ExitStatus
  /// What failed, where and what to do; nil if it was already reported.
  var message: String?

  /// Memberwise.
  init(_ status: ExitStatus, _ message: String?) {
    self.status = status
    self.message = message
  }

  /// Any failure without a specific status.
  static func failure(_ message: String) -> CommandFailure { CommandFailure(.failure, message) }

  /// An invalid command line.
  static func usage(_ message: String) -> CommandFailure { CommandFailure(.usage, message) }

  /// Damage that was reported where it was found.
  static let damageReported = CommandFailure(.damage, nil)

  /// Fails if damage was reported, or else if something could not be examined.
  static func refuse(damage: Bool, incomplete: Bool) throws(CommandFailure) {
    if damage { throw .damageReported }
    if incomplete { throw CommandFailure(.failure, nil) }
  }

  /// The reader of standard output closed, as `head` does: silent and no error.
  static let outputClosed = CommandFailure(.ok, nil)

  /// Ctrl-C.
  static let interrupted = CommandFailure(.interrupted, nil)

  /// A failed disk call; its text names the path and the remedy.
  init(_ error: DiskError) {
    let status: ExitStatus =
      error.isDiskFull ? .diskFull : error.isLocked ? .locked : .failure
    self.init(status, "\(error)")
  }

  /// An error of the engine.
  init(_ error: LogError) {
    switch error.kind {
    case .diskFull(let error):
      self.init(.diskFull, "\(error.fullText): \(error)")
    case .disk(let error):
      self.init(error)
    case .locked(let path, let holder):
      let who = holder.map { "process \($0)" } ?? "another process"
      self.init(
        .locked,
        "\(path) is locked: \(who) writes to this store; stop it, or only read (fetch, verify, "
          + "info and dump need no lock)")
    case .corrupt(let range):
      self.init(.damage, "damaged: \(range)")
    case .invalidConfiguration, .invalidName:
      self.init(.usage, "\(error)")
    default:
      self.init(.failure, "\(error)")
    }
  }

  /// A small file that cannot be used.
  init(_ error: CheckpointError) {
    switch error {
    case .disk(let error): self.init(error)
    case .unreadable: self.init(.failure, "\(error)")
    }
  }
}

/// Runs `body`, turning a failed disk call into the command's failure.
func withDiskErrors<T: ~Copyable>(_ body: () throws(DiskError) -> T) throws(CommandFailure) -> T {
  do throws(DiskError) {
    return try body()
  } catch {
    throw CommandFailure(error)
  }
}

/// Runs `body`, turning an error of the engine into the command's failure.
func withLogErrors<T: ~Copyable>(_ body: () throws(LogError) -> T) throws(CommandFailure) -> T {
  do throws(LogError) {
    return try body()
  } catch {
    throw CommandFailure(error)
  }
}
