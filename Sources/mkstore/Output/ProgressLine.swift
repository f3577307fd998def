/// Progress on standard error: one line that is overwritten on a terminal, otherwise a line each
/// second. Owned by one thread.
struct ProgressLine {
  private let unit: String
  private let isTerminal: Bool
  private let started = Stopwatch()
  private var shownMs = -1_000_000
  private var isShown = false

  /// `unit` names what is counted besides the bytes.
  init(unit: String) {
    self.unit = unit
    isTerminal = StandardStreams.isTerminal(StandardStreams.error)
  }

  /// Shows the progress, at most five times a second.
  ///
  /// - Parameter total: Total bytes; nil if unknown.
  mutating func show(done: Int, total: Int?, count: Int?) {
    let elapsedMs = started.elapsedMs
    guard elapsedMs - shownMs >= (isTerminal ? 200 : 1000) else { return }
    shownMs = elapsedMs
    isShown = true
    let text = ProgressLine.text(
      done: done, total: total, count: count.map { "\($0) \(unit)" }, elapsedMs: elapsedMs)
    if isTerminal {
      let columns = StandardStreams.columns(StandardStreams.error)
      Messages.write("\r" + String(text.prefix(columns - 1)) + "\u{1B}[K")
    } else {
      Messages.write(text + "\n")
    }
  }

  /// Removes the line from the terminal before other output.
  mutating func end() {
    if isShown, isTerminal { Messages.write("\r\u{1B}[K") }
    isShown = false
  }

  /// `[#####-----]  50 %  1.2 GiB of 2.4 GiB  600.0 MiB/s  0:02 left`.
  static func text(done: Int, total: Int?, count: String?, elapsedMs: Int) -> String {
    let rate = elapsedMs > 0 ? done * 1000 / elapsedMs : 0
    var parts: [String] = []
    if let total, total > 0 {
      let share = min(1, Double(done) / Double(total))
      let filled = Int(share * 20)
      parts.append(
        "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: 20 - filled)
          + "]")
      parts.append("\(Int(share * 100)) %")
      parts.append("\(ByteCountArgument.text(done)) of \(ByteCountArgument.text(total))")
    } else {
      parts.append(ByteCountArgument.text(done))
    }
    if let count { parts.append(count) }
    if rate > 0 { parts.append("\(ByteCountArgument.text(rate))/s") }
    if let total, rate > 0, total > done {
      parts.append("\(clock((total - done) / rate)) left")
    }
    return parts.joined(separator: "  ")
  }

  /// `1:02:03` or `2:03`.
  private static func clock(_ seconds: Int) -> String {
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60)
    return hours > 0
      ? "\(hours):\(two(minutes)):\(two(seconds % 60))" : "\(minutes):\(two(seconds % 60))"
  }
}
