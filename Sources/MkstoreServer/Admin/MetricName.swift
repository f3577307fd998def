/// A metric's name with its labels, as Prometheus spells them.
struct MetricName: Hashable, Comparable {
  /// The name alone; letters, digits and underscores.
  let name: String
  /// `key="value"` pairs, joined by commas; empty for none.
  let labels: String

  /// Formats a label and dimensions of swift-metrics.
  init(_ label: String, _ dimensions: [(String, String)]) {
    name = Self.spell(label)
    labels = dimensions.map { "\(Self.spell($0.0))=\"\(Self.escape($0.1))\"" }
      .joined(separator: ",")
  }

  private static func spell(_ text: String) -> String {
    String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
  }

  private static func escape(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "\\": result += "\\\\"
      case "\"": result += "\\\""
      case "\n": result += "\\n"
      default: result.append(character)
      }
    }
  }

  /// The name with its labels and optionally one more.
  func text(suffix: String = "", extra: String? = nil) -> String {
    let all = [labels, extra ?? ""].filter { !$0.isEmpty }.joined(separator: ",")
    return name + suffix + (all.isEmpty ? "" : "{\(all)}")
  }

  static func < (first: MetricName, second: MetricName) -> Bool {
    (first.name, first.labels) < (second.name, second.labels)
  }
}
