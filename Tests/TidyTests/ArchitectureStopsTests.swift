import Testing

/// docs/architecture.md lists the functions that each way through the code passes: they exist, and
/// they are no more than the page promises.
struct ArchitectureStopsTests {
  @Test func theStopsOfEachWayExist() throws {
    let page = try #require(SourceTree.file("docs/architecture.md")).lines.joined(separator: "\n")
    let ways = page.matches(of: /<!-- stops: (\w+) (\d+) -->\n((?:.|\n)*?)<!-- stops end -->/)
    #expect(ways.map { String($0.output.1) } == ["append", "read", "produce", "fetch"])
    for way in ways {
      let name = way.output.1
      let limit = try #require(Int(way.output.2))
      let items = way.output.3.split(separator: #/\n?\d+\. /#)
      #expect(items.count > 5 && items.count <= limit, "\(name): \(items.count) stops")
      for item in items {
        let stop = try #require(
          item.firstMatch(of: /`(\w+)\.(\w+)`/), "\(name) names no function: \(item)")
        let (type, function) = (String(stop.output.1), String(stop.output.2))
        #expect(Self.isThere(type, function), "\(name): there is no \(type).\(function)")
      }
    }
  }

  /// Whether a file that declares or extends the type has the function.
  private static func isThere(_ type: String, _ function: String) -> Bool {
    let keywords = ["class", "struct", "enum", "extension"].map { "\($0) \(type)" }
    return SourceTree.sources.contains { file in
      file.lines.contains { line in keywords.contains { line.contains($0) } }
        && file.lines.contains { $0.contains("func \(function)") }
    }
  }
}
