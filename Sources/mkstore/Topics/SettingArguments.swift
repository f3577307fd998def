import LogStore

/// Settings on the command line, `NAME=VALUE`.
struct SettingArguments {
  /// Names and values.
  let values: [String: String]

  /// - Throws: A usage failure if one has no `=`, or a name is repeated.
  init(_ arguments: [String]) throws(CommandFailure) {
    var values: [String: String] = [:]
    for argument in arguments {
      guard let split = argument.firstIndex(of: "="), split != argument.startIndex else {
        throw .usage("'\(argument)' is not NAME=VALUE, such as retention.ms=86400000")
      }
      let name = String(argument[..<split])
      let value = String(argument[argument.index(after: split)...])
      guard values.updateValue(value, forKey: name) == nil else {
        throw .usage("\(name) is given twice")
      }
    }
    self.values = values
  }

  /// Refuses a setting that is also to be reset to its default.
  func refuse(alsoIn unset: [String]) throws(CommandFailure) {
    if let both = unset.first(where: { values[$0] != nil }) {
      throw .usage("\(both) is both set and unset")
    }
  }

  /// These settings over `base`, checked as Kafka checks them.
  func applied(to base: LogConfig) throws(CommandFailure) -> LogConfig {
    let values = values
    return try withLogErrors { () throws(LogError) in
      let config = try TopicConfig(values).applied(to: base)
      try config.validate()
      return config
    }
  }
}
