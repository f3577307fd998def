import LogStore

/// Where `mkstore topics` looks and what it changes.
protocol TopicsPlace {
  /// Names every topic.
  func list() throws(CommandFailure)
  /// Tells a topic's partitions and settings.
  func describe(_ topic: String) throws(CommandFailure)
  /// Makes a topic.
  func create(
    _ topic: String, _ partitions: Int32, _ settings: SettingArguments) throws(CommandFailure)
  /// Changes a topic's settings, or confirms them where there is nothing to change.
  func alter(
    _ topic: String, _ settings: SettingArguments, unset: [String]) throws(CommandFailure)
  /// Deletes a topic.
  func delete(_ topic: String) throws(CommandFailure)
}

/// What `mkstore topics` prints, wherever the topics are.
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
  /// - Parameter isConfirmed: Whether its settings count; nil where a broker did not say it.
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

  /// A topic was made.
  static func sayMade(_ topic: String, _ partitions: Int32) {
    Messages.say("made \(topic) with \(Counted.text(Int(partitions), "partition"))")
  }
}
