/// A text file of the repository.
struct SourceFile {
  /// Path from the root.
  let path: String
  let lines: [Substring]

  init(path: String, text: String) {
    self.path = path
    lines = text.split(separator: "\n", omittingEmptySubsequences: false)
  }

  /// The folder below `Sources` or `Tests`; "" elsewhere.
  var module: String {
    let parts = path.split(separator: "/")
    return parts.count > 2 ? String(parts[1]) : ""
  }

  /// Lines with their numbers, without what stands behind `//`.
  var code: [(number: Int, text: Substring)] {
    lines.enumerated().map { index, line in
      (index + 1, line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line)
    }
  }

  /// Places where a pattern matches, as "path:line: match".
  func matches(of pattern: Regex<Substring>, inCode: Bool = false) -> [String] {
    let lines = inCode ? code : lines.enumerated().map { ($0.offset + 1, $0.element) }
    return lines.flatMap { number, text in
      text.matches(of: pattern).map { "\(path):\(number): \($0.output)" }
    }
  }
}

extension [String] {
  /// One finding a line, for a test's message.
  var listed: String { joined(separator: "\n") }
}
