package import Logging

/// The logger of stores and logs that are opened without one.
package enum DefaultLogger {
  /// Set by a test around the code it runs; the tasks of that code inherit it.
  @TaskLocal package static var ofTask: Logger?

  /// The given logger, else the task's, else one of the process's logging system.
  static func resolve(_ given: Logger?) -> Logger {
    given ?? ofTask ?? Logger(label: "mkstore")
  }
}
