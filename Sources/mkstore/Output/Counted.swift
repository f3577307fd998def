/// Counts with their noun, for people.
enum Counted {
  /// "1 log", "2 logs".
  static func text(_ count: Int, _ noun: String) -> String {
    count == 1 ? "1 \(noun)" : "\(count) \(plural(noun))"
  }

  private static func plural(_ noun: String) -> String {
    noun.hasSuffix("y") && !noun.hasSuffix("ay") ? "\(noun.dropLast())ies" : "\(noun)s"
  }
}
