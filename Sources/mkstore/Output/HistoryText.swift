/// Lines of `mkstore.history`: milliseconds since 1970 and what happened.
enum HistoryText {
  /// Time and event; the time is nil if the line does not begin with one.
  static func parts(_ line: String) -> (milliseconds: Int64?, event: String) {
    let parts = line.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, let milliseconds = Int64(parts[0]) else { return (nil, line) }
    return (milliseconds, String(parts[1]))
  }

  /// The line with its time in RFC 3339.
  static func line(_ line: String) -> String {
    let (milliseconds, event) = parts(line)
    return milliseconds.map { "\(RFC3339.text($0)) \(event)" } ?? event
  }
}
