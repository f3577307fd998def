/// The process's exit status; `--help` and the README list the same.
enum ExitStatus: Int32, Sendable {
  /// Done, and nothing is wrong.
  case ok = 0
  /// It could not be done; the message says why.
  case failure = 1
  /// The command line is invalid.
  case usage = 2
  /// Damage was found; everything else was done.
  case damage = 3
  /// Another process writes to the store.
  case locked = 5
  /// No room on a file system, or the process may not use more (`ulimit -f`).
  case diskFull = 6
  /// Stopped by Ctrl-C (128 + SIGINT, as in shells).
  case interrupted = 130

  /// The list for `--help`.
  static let explanation = """
    EXIT STATUS: 0 done and nothing wrong, 1 failure, 2 wrong usage, 3 damage found (the rest was \
    done), 5 the store is locked by another writer, 6 disk full or the \
    limit of file sizes reached (ulimit -f), 130 stopped by Ctrl-C. A reader \
    that goes away (| head) is not an error.
    """
}
