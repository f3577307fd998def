/// One object of the NDJSON that `--json` gives, put together field by field in the order given.
///
/// For everything but records, which are written without such detours.
struct JSONObject {
  /// Version of the objects' shapes; raised when a field changes its meaning or goes.
  static let schema = 1

  private var bytes: [UInt8] = [UInt8(ascii: "{")]

  /// An object of a type of its own, as each line is.
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

  /// Milliseconds as they are and, beside them, as a person reads them; null for none.
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
