/// The text layout that Kafka's checkpoints share: a line `0`, a line with the count, one line per
/// entry.
///
/// As strict as Kafka's reader (`CheckpointFile`): a wrong version, count or line makes the whole
/// file unreadable, so that a part of a checkpoint is never used. An empty file is allowed and has
/// no entries: Kafka creates it so.
enum Checkpoint {
  /// The only version there is.
  static let version = 0

  /// Reads all entries of a file's content; `path` is for messages.
  ///
  /// - Parameter entry: Makes an entry from a line's fields, or says what is wrong with them.
  static func decode<Entry>(
    _ bytes: [UInt8], path: String, entry: ([Substring]) throws(LineError) -> Entry
  ) throws(CheckpointError) -> [Entry] {
    if bytes.isEmpty { return [] }
    var lines = try TextLines(bytes, path: path)
    let version = try lines.next().map(String.init) ?? ""
    guard Int(version) == Self.version else {
      throw lines.error("version '\(version)', expected \(Self.version)")
    }
    let stated = try lines.next().map(String.init) ?? ""
    guard let count = Int(stated), count >= 0 else {
      throw lines.error("'\(stated)' is not a count of entries")
    }
    var entries: [Entry] = []
    while let line = try lines.next() {
      do throws(LineError) {
        entries.append(try entry(fields(line)))
      } catch {
        throw lines.error(error.what)
      }
    }
    guard entries.count == count else {
      throw .unreadable(
        path: path, line: 2, what: "\(count) entries stated, \(entries.count) there")
    }
    return entries
  }

  /// The content of a checkpoint with these entries.
  static func encode(_ lines: [String]) -> [UInt8] {
    var text = "\(version)\n\(lines.count)\n"
    for line in lines { text += "\(line)\n" }
    return Array(text.utf8)
  }

  /// What is wrong with a line, without saying where.
  struct LineError: Error {
    /// For people.
    var what: String

    /// Memberwise.
    init(_ what: String) { self.what = what }
  }

  /// Splits at white space as Java's `split("\\s+")`: leading space makes an empty first field,
  /// trailing space none.
  private static func fields(_ line: Substring) -> [Substring] {
    var fields = line.split(whereSeparator: isSpace)
    if let first = line.first, isSpace(first) { fields.insert("", at: 0) }
    return fields
  }

  private static func isSpace(_ character: Character) -> Bool {
    character == " " || character == "\t" || character == "\u{0B}" || character == "\u{0C}"
  }
}
