import Testing

/// The invariants of docs/architecture.md are stated in the sources, by preconditions that name
/// them.
struct InvariantRuleTests {
  private static let page = SourceTree.file("docs/architecture.md")
  private static let engine = SourceTree.sources.filter { $0.module == "LogStore" }

  /// Messages of preconditions that begin with an invariant, as "I2".
  private static let named: [String] = engine.flatMap { file -> [String] in
    let text = file.code.map(\.text).joined(separator: "\n")
    return text.matches(
      of: #/\bprecondition(?:Failure)?\((?:[^"]*?,\s*)?"(I[0-9]+): /#
    ).map { String($0.output.1) }
  }

  private static var preconditionCount: Int {
    engine.flatMap { $0.matches(of: /\bprecondition(?:Failure)?\(/, inCode: true) }.count
  }

  @Test func aPreconditionNamesEachInvariant() throws {
    let stated = try #require(Self.page).lines.compactMap { line in
      line.firstMatch(of: #/^- \*\*(I[0-9]+)\*\* /#).map { String($0.output.1) }
    }
    #expect(stated == (1...9).map { "I\($0)" })
    #expect(Set(Self.named) == Set(stated), "\(Self.named.sorted())")
  }

  /// The page says how many preconditions there are at least.
  @Test func thereAreAsManyPreconditionsAsThePageSays() throws {
    let text = try #require(Self.page).lines.joined(separator: " ")
    let claim = try #require(
      text.firstMatch(of: /at least ([0-9]+) preconditions.{0,80}?([0-9.]+) per 1,000 lines/))
    let lineCount = Self.engine.reduce(0) { $0 + $1.lines.count - 1 }
    let rate = Double(Self.preconditionCount) / Double(lineCount) * 1_000
    #expect(Self.preconditionCount >= Int(claim.output.1) ?? Int.max)
    #expect(rate >= Double(claim.output.2) ?? Double.infinity, "\(rate)")
  }
}
