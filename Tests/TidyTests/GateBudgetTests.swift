import Testing

/// The gate's time is budgeted, a line a step (CONTRIBUTING.md#time).
struct GateBudgetTests {
  @Test func everyStepHasItsMinutesAndTheyAreAtMost45() throws {
    let gate = try #require(SourceTree.file("tools/test"))
    let page = try #require(SourceTree.file("CONTRIBUTING.md"))
    let steps = try #require(
      gate.lines.compactMap {
        $0.firstMatch(of: /\|\| steps=\(([a-z ]+)\)/).map {
          $0.output.1.split(separator: " ").map(String.init)
        }
      }.first)
    var minutes: [String: Int] = [:]
    for line in page.lines {
      if let row = line.firstMatch(of: /^\| ([a-z]+) \| ([0-9]+) \|/) {
        minutes[String(row.output.1)] = Int(row.output.2)
      }
    }
    #expect(Set(minutes.keys) == Set(steps))
    #expect(minutes.values.reduce(0, +) == 45)
    #expect(page.lines.contains { $0.hasPrefix("| **all** | **45** |") })
  }

  /// Each count that a long run takes is read by something.
  @Test func everyCountIsReadBySomething() throws {
    let page = try #require(SourceTree.file("CONTRIBUTING.md"))
    let readers = SourceTree.tests + SourceTree.scripts
    var names: Set<String> = []
    for line in page.lines {
      for match in line.matches(of: /\b([A-Z_]{5,})=[0-9]/) { names.insert(String(match.output.1)) }
    }
    #expect(names.count >= 8, "\(names)")
    for name in names {
      #expect(readers.contains { file in file.lines.contains { $0.contains(name) } }, "\(name)")
    }
  }
}
