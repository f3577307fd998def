/// One object of the NDJSON of `--json`, built field by field in the given order.
///
/// For everything except records, which are written directly.
struct JSONObject {
  /// Version of the objects' shapes; raised when a field changes its meaning or is removed.
  static let schema = 1

  private var bytes: [UInt8] = [UInt8(ascii: "{")]

  /// An object with a type, for a line.
  init(type: String) {
    add("schema", JSONObject.schema)
    add("type", type)
  }

  /// A part of another object.
  init() {}

  /// The text.
  var text: [UInt8] { bytes + [UInt8(ascii: "}")] }

  mutating func add(_ name: String, _ value: String?) {
    begin(name)
    if let value { JSONText.append(value, to: &bytes) } else { bytes += "null".utf8 }
  }

  mutating func add(_ name: String, _ value: (some FixedWidthInteger)?) {
    begin(name)
    if let value { bytes += String(value).utf8 } else { bytes += "null".utf8 }
  }

  mutating func add(_ name: String, _ value: Bool?) {
    begin(name)
    bytes += (value.map { $0 ? "true" : "false" } ?? "null").utf8
  }

  mutating func add(_ name: String, _ values: [JSONObject]) {
    begin(name)
    addList(values.map(\.text))
  }

  mutating func add(_ name: String, _ values: [String]) {
    begin(name)
    addList(
      values.map { value in
        var text: [UInt8] = []
        JSONText.append(value, to: &text)
        return text
      })
  }

  /// Milliseconds as a number and, in a second field, as readable text; null for none.
  mutating func addTime(_ name: String, milliseconds: Int64?) {
    let known = milliseconds == -1 ? nil : milliseconds
    add(name + "Ms", known)
    add(name, known.map(RFC3339.text))
  }

  private mutating func begin(_ name: String) {
    if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
    JSONText.append(name, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
  }

  private mutating func addList(_ values: [[UInt8]]) {
    bytes.append(UInt8(ascii: "["))
    for (index, value) in values.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      bytes += value
    }
    bytes.append(UInt8(ascii: "]"))
  }
}
