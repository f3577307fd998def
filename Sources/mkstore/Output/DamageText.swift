import LogStore

/// Damaged ranges as JSON.
enum DamageText {
  /// A separate line.
  static func object(_ range: DamagedRange) -> JSONObject {
    var object = JSONObject(type: "damage")
    add(range, to: &object)
    return object
  }

  /// A part of another object.
  static func part(_ range: DamagedRange) -> JSONObject {
    var object = JSONObject()
    add(range, to: &object)
    return object
  }

  private static func add(_ range: DamagedRange, to object: inout JSONObject) {
    object.add("file", range.file)
    object.add("position", range.bytes.lowerBound)
    object.add("bytes", range.bytes.count)
    object.add("firstOffset", range.offsets?.lowerBound)
    // Exclusive, as every end; null if nothing readable follows.
    object.add("endOffset", range.offsets?.upperBound)
    object.add("reason", range.reason)
  }
}
