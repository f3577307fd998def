/// One run of `mkstore settings`.
struct SettingsRun {
  let isJSON: Bool

  /// Prints every setting, or those of one name.
  ///
  /// - Throws: A usage failure with the nearest name if there is none of the name.
  func run(_ name: String?) throws(CommandFailure) {
    let rows = name.map(SettingRow.named) ?? SettingRow.all
    if let name, rows.isEmpty {
      let known = SettingRow.all.map(\.name) + KafkaOnlySetting.names
      let meant = KafkaBrokerNames.nearest(to: name, in: known)
      if let reason = KafkaBrokerNames.rejection(of: name) {
        throw .usage("\(name): \(reason); it stops the start of mkstore serve")
      }
      throw .usage(
        "there is no setting '\(name)'"
          + (meant.map { ", did you mean '\($0)'?" } ?? "; mkstore settings lists them"))
    }
    var out = OutputBuffer()
    if isJSON {
      for row in rows { out.line(object(row)) }
    } else if name != nil {
      for (index, row) in rows.enumerated() {
        if index > 0 { out.line("") }
        for line in lines(row) { out.line(line) }
      }
    } else {
      for line in table(rows) { out.line(line) }
    }
    try out.flush()
  }

  // MARK: Text

  private static let titles: [SettingRow.Scope: String] = [
    .serve: "SETTINGS OF mkstore serve, set where it is started",
    .topic: "SETTINGS OF TOPICS, changed while the server runs",
    .kafka: "KAFKA'S NAMES for settings of mkstore serve",
  ]

  private func standard(_ row: SettingRow) -> String {
    guard let standard = row.standard else { return row.unset.map { "(\($0))" } ?? "" }
    return standard.isEmpty ? "(empty)" : standard
  }

  private func values(_ row: SettingRow) -> String {
    [row.values, row.unit].compactMap { $0 }.joined(separator: " ")
  }

  private func table(_ rows: [SettingRow]) -> [String] {
    SettingRow.Scope.allCases.flatMap { scope -> [String] in
      let cells =
        [["name", "type", "default", "values", "meaning"]]
        + rows.filter { $0.scope == scope }.map { row in
          let note = row.note.map { " (here \($0))" } ?? ""
          return [row.name, row.type, standard(row), values(row), row.meaning + note]
        }
      let widths = (0..<4).map { column in cells.map { $0[column].count }.max() ?? 0 }
      let lines = cells.map { row in
        zip(row, widths).map { cell, width in
          cell + String(repeating: " ", count: width - cell.count + 2)
        }.joined() + row[4]
      }
      let title = Self.titles[scope] ?? scope.rawValue
      return (scope == .serve ? [title] : ["", title]) + lines
    }
  }

  private func lines(_ row: SettingRow) -> [String] {
    let scope =
      switch row.scope {
      case .serve: "mkstore serve"
      case .topic: "topics"
      case .kafka: row.synonymOf == nil ? "Kafka's brokers" : "mkstore serve, by Kafka's name"
      }
    let isSet = row.scope != .kafka || row.synonymOf != nil
    let cells: [(String, String?)] = [
      ("setting", row.name), ("of", scope), ("type", row.type),
      ("default", isSet ? standard(row) : nil), ("values", row.values), ("unit", row.unit),
      (
        "changed",
        row.changesAtRunTime ? "while the server runs" : isSet ? "where the server is started" : nil
      ),
      ("meaning", row.meaning), ("here", row.note),
    ]
    return cells.compactMap { name, value in
      guard let value, !value.isEmpty else { return nil }
      return name + String(repeating: " ", count: 9 - name.count) + value
    }
  }

  // MARK: JSON

  private func object(_ row: SettingRow) -> JSONObject {
    var object = JSONObject(type: "setting")
    object.add("scope", row.scope.rawValue)
    object.add("name", row.name)
    object.add("valueType", row.type)
    object.add("default", row.standard)
    object.add("unit", row.unit)
    object.add("values", row.values)
    object.add("changesAtRunTime", row.changesAtRunTime)
    object.add("synonymOf", row.synonymOf)
    object.add("meaning", row.meaning)
    object.add("note", row.note)
    return object
  }
}
