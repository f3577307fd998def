import Foundation
import LogStore
import Testing

@testable import mkstore

/// `mkstore settings` lists what the settings are read by, and nothing else.
struct SettingsCommandTests {
  private static let topics = SettingRow.all.filter { $0.scope == .topic }
  private static let serve = SettingRow.all.filter { $0.scope == .serve }

  private func serve(_ name: String, _ value: String) -> ServeSettings? {
    do {
      return try ServeSettings(commandLine: [("data", "d"), (name, value)], file: nil)
    } catch {
      return nil
    }
  }

  private func isTopicValue(_ name: String, _ value: String) -> Bool {
    do {
      _ = try TopicConfig([name: value])
      return true
    } catch {
      return false
    }
  }

  /// Values at and around the bounds that a row tells.
  private func samples(_ row: SettingRow) throws -> [(value: String, isLegal: Bool)] {
    let values = row.values ?? ""
    if let range = values.wholeMatch(of: /(-?\d+) … (\d+)/) {
      let (low, high) = (try #require(Int64(range.1)), try #require(Int64(range.2)))
      // Beyond 64 bits as well.
      let above = "\(Decimal(high) + 1)"
      return [("\(low)", true), ("\(high)", true), ("\(low - 1)", false), (above, false)]
    }
    if row.type == "boolean" || row.type == "string", values.contains(", "), !values.contains(":") {
      let names = values.components(separatedBy: ", ")
      return names.map { ($0, true) } + [("\(names[0])x", false), ("", false)]
    }
    return []
  }

  @Test func everySettingIsListedOnce() throws {
    let outcome = try Tool.run(["settings", "--json"])
    #expect(outcome.status == 0 && outcome.messages.isEmpty, "\(outcome)")
    let objects = try outcome.objects
    func names(_ scope: String) -> [String] {
      objects.filter { $0["scope"] as? String == scope }.compactMap { $0["name"] as? String }
    }
    #expect(names("serve") == ServeSettings.names)
    #expect(names("topic") == TopicConfig.names)
    #expect(names("kafka") == KafkaBrokerNames.all)
    #expect(Set(ServeSettings.names).count == ServeSettings.names.count)
    for object in objects {
      #expect(object["type"] as? String == "setting")
      let meaning = try #require(object["meaning"] as? String)
      #expect(meaning.hasSuffix(".") && meaning.count > 10, "\(object)")
      #expect(object["changesAtRunTime"] as? Bool == (object["scope"] as? String == "topic"))
    }
    // Kafka's defaults, from its documentation.
    let retention = try #require(objects.last { $0["name"] as? String == "retention.ms" })
    #expect(retention["default"] as? String == "604800000" && retention["unit"] as? String == "ms")
  }

  @Test func theServersParserTakesWhatIsListedAndNothingElse() throws {
    var bounded = 0
    for row in Self.serve {
      if let standard = row.standard {
        let setting = try #require(ServeSetting.all.first { $0.name == row.name })
        let read = try #require(serve(row.name, standard), "\(row.name)=\(standard)")
        #expect(setting.stated(read) == standard, "\(row.name)")
      } else {
        #expect(row.unset != nil, "\(row.name) has neither a default nor a word for none")
      }
      for (value, isLegal) in try samples(row) {
        bounded += 1
        #expect((serve(row.name, value) != nil) == isLegal, "\(row.name)=\(value)")
      }
    }
    #expect(bounded > 90, "\(bounded)")
    #expect(serve("fetcher.thread", "1") == nil)
  }

  @Test func theTopicsParserTakesWhatIsListedAndNothingElse() throws {
    #expect(Self.topics.count == 36)
    var bounded = 0
    for row in Self.topics {
      let standard = try #require(row.standard)
      #expect(isTopicValue(row.name, standard), "\(row.name)=\(standard)")
      for (value, isLegal) in try samples(row) {
        bounded += 1
        #expect(isTopicValue(row.name, value) == isLegal, "\(row.name)=\(value)")
      }
    }
    #expect(bounded > 100, "\(bounded)")
  }

  /// The units of Kafka's names: an hour is 3,600,000 ms.
  @Test func kafkasNamesAreReadInTheirUnits() throws {
    for row in SettingRow.all where row.scope == .kafka {
      let ours = try #require(row.synonymOf)
      let factor = ["minutes": 60_000, "hours": 3_600_000][row.unit ?? ""]
      guard let factor else { continue }
      let setting = try #require(ServeSetting.all.first { $0.name == ours })
      let read = try #require(serve(row.name, "3"), "\(row.name)")
      #expect(setting.stated(read) == "\(3 * factor)", "\(row.name)")
    }
  }

  @Test func oneIsToldInEachOfItsPlaces() throws {
    let outcome = try Tool.run(["settings", "retention.ms"])
    #expect(outcome.status == 0)
    #expect(outcome.lines.filter { $0 == "setting  retention.ms" }.count == 2, "\(outcome.text)")
    #expect(outcome.lines.contains("changed  while the server runs"))
    #expect(outcome.lines.contains("changed  where the server is started"))
    let hours = try Tool.run(["settings", "log.retention.hours", "--json"]).objects
    #expect(hours.count == 1 && hours[0]["synonymOf"] as? String == "retention.ms")
    #expect(hours[0]["unit"] as? String == "hours")
    let ignored = try Tool.run(["settings", "num.network.threads"])
    #expect(ignored.status == 0 && ignored.text.contains("Ignored: threads are set by"))
  }

  @Test(arguments: [
    ("retention.m", "did you mean 'retention.ms'?"),
    ("num.io.thread", "did you mean 'num.io.threads'?"),
    ("ssl.keystore.location", "no encryption"), ("x", "mkstore settings lists them"),
  ])
  func anUnknownOneIsRefusedWithTheNearest(_ name: String, _ word: String) throws {
    let outcome = try Tool.run(["settings", name])
    #expect(outcome.status == 2 && outcome.output.isEmpty)
    #expect(outcome.messages.contains(word), "\(outcome.messages)")
  }

  /// The table of docs/serving.md#settings.
  @Test func theDocumentTellsTheSameDefaults() throws {
    let lines = try TestData.lines(Repository.root + "/docs/serving.md")
    let table = lines.drop { $0 != "| Name | Default | |" }.dropFirst(2)
    var told: [String: String] = [:]
    for line in table.prefix(while: { $0.hasPrefix("|") }) {
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      let value = cells[1].replacingOccurrences(of: "`", with: "")
      told[cells[0].replacingOccurrences(of: "`", with: "")] =
        value.replacingOccurrences(of: "−", with: "-").replacingOccurrences(
          of: ", no bound", with: "")
    }
    let own = Self.serve.filter { TopicConfig.effect(of: $0.name) == nil }
    #expect(Set(told.keys) == Set(own.map(\.name)))
    for row in own {
      if row.name == "data" { continue }
      #expect(told[row.name] == row.standard ?? row.unset, "\(row.name)")
    }
  }
}
