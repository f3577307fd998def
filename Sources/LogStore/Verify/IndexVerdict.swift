/// The result of comparing an index with its log.
struct IndexVerdict {
  /// Entries that are wrong.
  private(set) var wrongCount = 0
  /// The first of them: which, and why.
  private(set) var firstReason: String?

  mutating func reject(_ index: Int, _ reason: String) {
    wrongCount += 1
    if firstReason == nil { firstReason = "entry \(index), \(reason)" }
  }

  /// One sentence, or nil if every entry is right.
  var reason: String? {
    guard let firstReason else { return nil }
    return wrongCount == 1
      ? firstReason : "\(firstReason) (and \(wrongCount - 1) more wrong entries)"
  }
}
