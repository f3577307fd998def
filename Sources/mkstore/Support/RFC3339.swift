/// Times as text: RFC 3339, printed in UTC with milliseconds.
enum RFC3339 {
  /// `2013-01-01T10:00:00.000Z`; `-` for −1, which means no time.
  ///
  /// Years beyond 9999, which the RFC does not support, are printed in milliseconds.
  static func text(_ milliseconds: Int64) -> String {
    if milliseconds == -1 { return "-" }
    guard milliseconds >= yearZero, milliseconds < yearTenThousand else {
      return "\(milliseconds)ms"
    }
    let time = CivilTime(milliseconds: milliseconds)
    return padded(time.year, 4) + "-" + padded(time.month, 2) + "-" + padded(time.day, 2) + "T"
      + padded(time.hour, 2) + ":" + padded(time.minute, 2) + ":" + padded(time.second, 2) + "."
      + padded(time.millisecond, 3) + "Z"
  }

  /// Reads a date with a time and an offset, or a date alone (its midnight in UTC).
  ///
  /// - Returns: Milliseconds since 1970 UTC, fractions of a millisecond dropped; nil for anything
  ///   else, including dates that do not exist.
  static func milliseconds(_ text: String) -> Int64? {
    var digits = Cursor(Array(text.utf8))
    guard let year = digits.number(4), digits.take("-"), let month = digits.number(2),
      digits.take("-"), let day = digits.number(2), 1...12 ~= month,
      1...CivilTime.dayCount(year: year, month: month) ~= day
    else { return nil }
    let midnight =
      CivilTime.days(year: year, month: month, day: day) * CivilTime.millisecondsPerDay
    if digits.isAtEnd { return midnight }
    guard digits.take("T") || digits.take("t") || digits.take(" "), let hour = digits.number(2),
      digits.take(":"), let minute = digits.number(2), digits.take(":"),
      // 60 is a leap second; it counts as the first of the next minute.
      let second = digits.number(2), hour < 24, minute < 60, second <= 60,
      let fraction = digits.fraction(), let zone = digits.zoneMinutes(), digits.isAtEnd
    else { return nil }
    let minutes = Int64(hour * 60 + minute - zone)
    return midnight + minutes * 60_000 + Int64(second * 1000 + fraction)
  }

  private static let yearZero =
    CivilTime.days(year: 0, month: 1, day: 1)
    * CivilTime.millisecondsPerDay
  private static let yearTenThousand =
    CivilTime.days(year: 10_000, month: 1, day: 1)
    * CivilTime.millisecondsPerDay

  private static func padded(_ value: Int, _ count: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, count - digits.utf8.count)) + digits
  }

  /// Reads the text from front to back.
  private struct Cursor {
    let bytes: [UInt8]
    var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    /// Exactly `count` digits.
    mutating func number(_ count: Int) -> Int? {
      guard bytes.count - position >= count else { return nil }
      var value = 0
      for byte in bytes[position..<position + count] {
        guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte else { return nil }
        value = value * 10 + Int(byte - UInt8(ascii: "0"))
      }
      position += count
      return value
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
      position += 1
      return true
    }

    /// Milliseconds of an optional fraction; nil for a point without digits.
    mutating func fraction() -> Int? {
      guard take(".") else { return 0 }
      var value = 0
      var count = 0
      while let digit = number(1) {
        if count < 3 { value = value * 10 + digit }
        count += 1
      }
      guard count > 0 else { return nil }
      for _ in 0..<max(0, 3 - count) { value *= 10 }
      return value
    }

    /// Minutes east of UTC.
    mutating func zoneMinutes() -> Int? {
      if take("Z") || take("z") { return 0 }
      let sign = take("+") ? 1 : take("-") ? -1 : 0
      guard sign != 0, let hours = number(2), take(":"), let minutes = number(2), hours < 24,
        minutes < 60
      else { return nil }
      return sign * (hours * 60 + minutes)
    }
  }
}
