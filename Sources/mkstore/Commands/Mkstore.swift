import ArgumentParser

/// The `mkstore` command.
@main
struct Mkstore: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mkstore",
    abstract: "Kafka's log as a library: append, fetch, verify and repair segmented logs.",
    discussion: """
      LOG is a path like data/orders-0: a store's directory and a log <topic>-<partition> in it, \
      in Apache Kafka's own format. A directory of a Kafka broker can be read as it is, also from \
      read-only media and while a process writes to it.

      Data goes to standard output, messages to standard error. --json makes every command print \
      one JSON object a line, each with "schema":1 and a "type". Times are printed in RFC 3339, UTC.

      \(ExitStatus.explanation)

      COMPLETION: mkstore --generate-completion-script bash|zsh|fish
      """,
    version: "0.1.0",
    subcommands: [
      AppendCommand.self, FetchCommand.self, VerifyCommand.self, InfoCommand.self,
      DumpCommand.self, RecoverCommand.self, TrimCommand.self, TruncateCommand.self,
      RetentionCommand.self, TopicsCommand.self, SettingsCommand.self, ServeCommand.self,
    ])

  /// Parses, runs, and turns an error into a message and an exit status.
  static func main() {
    StandardStreams.openClosed()
    Interrupt.ignoreFailedWrites()
    exit(status(of: Array(CommandLine.arguments.dropFirst())))
  }

  private static func status(of arguments: [String]) -> ExitStatus {
    do {
      var command = try parseAsRoot(arguments)
      try command.run()
      return .ok
    } catch let failure as CommandFailure {
      if let message = failure.message { Messages.say(message) }
      return failure.status
    } catch {
      return say(error)
    }
  }

  /// The parser's output: help and completions are data, wrong usage is a message.
  private static func say(_ error: any Error) -> ExitStatus {
    let text = fullMessage(for: error)
    guard exitCode(for: error) == .success else {
      Messages.write(text + "\n")
      return .usage
    }
    var out = OutputBuffer()
    out.line(text)
    do throws(CommandFailure) {
      try out.flush()
      return .ok
    } catch {
      if let message = error.message { Messages.say(message) }
      return error.status
    }
  }

  private static func exit(_ status: ExitStatus) -> Never {
    ProcessEnd.exit(status)
  }
}
