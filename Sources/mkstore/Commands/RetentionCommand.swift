import ArgumentParser
import DiskIO
import LogStore

/// `mkstore retention PATH`.
struct RetentionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retention",
    abstract: "Explain why each segment is kept, until when, and which is deleted next.",
    discussion: """
      PATH is a log or a store. Reads without a lock and changes nothing. Settings are those of \
      each log's mkstore.topic; give the defaults of the store's owner (mkstore serve: \
      retention.ms=604800000) with --default NAME=VALUE.

      After a broker used the directory, a log keeps everything until its settings are \
      confirmed: mkstore topics alter STORE TOPIC --confirm.

      --confirm-clock says that the clock of this machine is right: a server that paused \
      retention because the clock jumped resumes it within seconds.
      """)

  @Argument(help: "A log, such as data/orders-0, or a store.")
  var path: String

  @Flag(help: "Explain every segment, not only the next to be deleted.")
  var explain = false

  @Option(
    name: .customLong("default"),
    help: "A setting of the store's owner, NAME=VALUE by Kafka's names; may be given again.")
  var defaults: [String] = []

  @Flag(help: "Confirm that the clock is right, so that retention resumes at once.")
  var confirmClock = false

  @OptionGroup var json: JSONOption

  mutating func run() throws {
    let store = try StoreLocation.find(path)
    try StoreGuess(PosixDisk(), store.path).requireStore()
    if confirmClock { return try ClockConfirmation(store).run() }
    let isStore = PathText.trimmed(path) == store.path
    let logs = isStore ? try store.logs() : [try LogLocation(path).topicPartition]
    let base = try SettingArguments(defaults).applied(to: LogConfig())
    var out = OutputBuffer()
    var isIncomplete = false
    for log in logs {
      do throws(CommandFailure) {
        let location = try LogLocation(store.path(of: log))
        let text = try RetentionText(location, base: base, explainsAll: explain)
        if json.isOn {
          for object in text.objects { out.line(object) }
        } else {
          for line in text.lines { out.line(line) }
        }
      } catch {
        isIncomplete = true
        Messages.say("\(store.path(of: log)): \(error.message ?? "cannot be read")")
      }
    }
    try out.flush()
    try CommandFailure.refuse(damage: false, incomplete: isIncomplete)
  }
}
