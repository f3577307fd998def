import LogStore

/// The target of `mkstore topics`: a directory or a broker.
protocol TopicsPlace {
  /// Lists every topic.
  func list() throws(CommandFailure)
  /// Shows a topic's partitions and settings.
  func describe(_ topic: String) throws(CommandFailure)
  /// Creates a topic.
  func create(
    _ topic: String, _ partitions: Int32, _ settings: SettingArguments) throws(CommandFailure)
  /// Changes a topic's settings, or confirms them if there is nothing to change.
  func alter(
    _ topic: String, _ settings: SettingArguments, unset: [String]) throws(CommandFailure)
  /// Deletes a topic.
  func delete(_ topic: String) throws(CommandFailure)
}

/// The output of `mkstore topics` for either target.
struct TopicsText {
  var isJSON: Bool

  /// Topics and how many partitions they have, by name.
  func list(_ topics: [(name: String, partitions: Int)]) throws(CommandFailure) {
    var out = OutputBuffer()
    for (topic, count) in topics {
      if isJSON {
        var object = JSONObject(type: "topic")
        object.add("topic", topic)
        object.add("partitions", count)
        out.line(object)
      } else {
        out.line("\(topic)  \(Counted.text(count, "partition"))")
      }
    }
    try out.flush()
  }

  /// One topic.
  ///
  /// - Parameter isConfirmed: Whether its settings count; nil if a broker did not report it.
  func describe(
    _ topic: String, partitions: Int, isConfirmed: Bool?,
    _ settings: [(name: String, value: String)]
  ) throws(CommandFailure) {
    var out = OutputBuffer()
    if isJSON {
      var object = JSONObject(type: "topic")
      object.add("topic", topic)
      object.add("partitions", partitions)
      object.add("settings", settings.map { "\($0.name)=\($0.value)" })
      if let isConfirmed { object.add("isConfirmed", isConfirmed) }
      out.line(object)
    } else {
      out.line("topic       \(topic)")
      out.line("partitions  \(partitions)")
      if let isConfirmed {
        out.line(
          "confirmed   \(isConfirmed ? "yes" : "no: nothing of it is deleted by rule")")
      }
      for (name, value) in settings {
        var line = "setting     \(name)=\(value)"
        if isConfirmed != nil, case .kept(let why) = TopicConfig.effect(of: name) {
          line += "  (\(why))"
        }
        out.line(line)
      }
    }
    try out.flush()
  }

  /// Reports a created topic.
  static func sayMade(_ topic: String, _ partitions: Int32) {
    Messages.say("made \(topic) with \(Counted.text(Int(partitions), "partition"))")
  }
}
