import ArgumentParser
import DiskIO
import LogStore

/// `mkstore info PATH`.
struct InfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Describe a log or a store: offsets, segments, sizes, times, history.",
    discussion: """
      PATH is a log, a store, or a single .log file. Reads without a lock and without changing \
      anything. Largest times of segments are those of their time indexes; verify checks them.
      """)

  @Argument(help: "A log, a store, or a .log file.")
  var path: String

  @OptionGroup var json: JSONOption

  mutating func run() throws {
    var info = InfoRun(isJSON: json.isOn)
    try info.run(path)
  }
}
