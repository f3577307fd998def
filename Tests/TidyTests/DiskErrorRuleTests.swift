import Testing

/// Errors of the disk are neither swallowed nor forced.
struct DiskErrorRuleTests {
  /// A place that may drop an error or a result, and why.
  private struct Exception {
    var file: String
    var text: String
    /// For whoever reads the list.
    var why: String
  }

  private static let exceptions = [
    Exception(
      file: "Sources/RecordFormat/RecordView.swift", text: "try? UTF8Span(validating: name)",
      why: "no disk: only whether it throws is asked")
  ]

  private static func findings(_ pattern: Regex<Substring>) -> [String] {
    SourceTree.sources.filter { $0.path.hasSuffix(".swift") }.flatMap { file in
      file.code.compactMap { number, text -> String? in
        guard text.contains(pattern) else { return nil }
        let isExcepted = exceptions.contains { $0.file == file.path && text.contains($0.text) }
        return isExcepted ? nil : "\(file.path):\(number): \(text.trimmingPrefix(/\s+/))"
      }
    }
  }

  @Test func noErrorIsSwallowed() {
    let findings = Self.findings(/\btry\?/)
    #expect(findings.isEmpty, "\(findings.listed)")
  }

  @Test func noErrorIsForced() {
    let findings = Self.findings(/\btry!|\bas!/)
    #expect(findings.isEmpty, "\(findings.listed)")
  }

  @Test func noResultOfAWriteOrSyncIsDropped() {
    let findings = Self.findings(
      /\b_ = (?:unsafe )?try .*\.(?:write|sync|syncDirectory|truncate|allocate|rename|remove)\(/)
    #expect(findings.isEmpty, "\(findings.listed)")
  }

  @Test func everyExceptionIsStillNeeded() {
    for exception in Self.exceptions {
      let file = SourceTree.file(exception.file)
      let isThere = file?.lines.contains { $0.contains(exception.text) } ?? false
      #expect(isThere, "\(exception.file) no longer has: \(exception.text) (\(exception.why))")
    }
  }
}
