/// Walks over the lines of a small text file, counting them for messages.
///
/// Lines end with `\n`, `\r` or `\r\n`, as for Java's `readLine`; the last may have no end.
struct TextLines {
  private let path: String
  private var rest: Substring
  /// Number of the line that `next` returned last, from 1.
  private(set) var number = 0

  /// Takes a file's content, which must be UTF-8.
  init(_ bytes: [UInt8], path: String) throws(CheckpointError) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .unreadable(path: path, line: nil, what: "not UTF-8")
    }
    self.path = path
    self.rest = text[...]
  }

  /// The next line without its end, or nil.
  mutating func next() throws(CheckpointError) -> Substring? {
    guard !rest.isEmpty else { return nil }
    number += 1
    // "\r\n" is one Character.
    guard let end = rest.firstIndex(where: { $0 == "\n" || $0 == "\r" || $0 == "\r\n" }) else {
      defer { rest = "" }
      return rest
    }
    defer { rest = rest[rest.index(after: end)...] }
    return rest[..<end]
  }

  /// An error about the line that was returned last.
  func error(_ what: String) -> CheckpointError {
    .unreadable(path: path, line: max(1, number), what: what)
  }
}
