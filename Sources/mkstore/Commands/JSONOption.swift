import ArgumentParser

/// The option of every command.
struct JSONOption: ParsableArguments {
  @Flag(
    name: .customLong("json"),
    help: "Print one JSON object a line, each with \"schema\":1 and a \"type\".")
  var isOn = false
}
