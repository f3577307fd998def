import Testing

/// Programs are run by `ChildProcess` alone: Foundation's `Process` crashes where many descriptors
/// are open.
struct ProcessRuleTests {
  @Test func noTestUsesFoundationsProcess() {
    let findings = (SourceTree.sources + SourceTree.tests)
      .filter { $0.path.hasSuffix(".swift") }
      .flatMap { $0.matches(of: /\bProcess\(\)|\bProcess\.run\b|:\s*Process\b/, inCode: true) }
    #expect(findings.isEmpty, "use ChildProcess:\n\(findings.listed)")
  }
}
