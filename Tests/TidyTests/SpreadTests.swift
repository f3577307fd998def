import Testing

/// A type's members stand in few files, so that no type grows into one that everybody touches.
struct SpreadTests {
  private static let filesMax = 4

  /// Types that may be spread wider, and why.
  private static let exceptions = [
    "MkstoreProtocol.ApiSupport": "a table: each API states its versions in its own file"
  ]

  /// The files in which each type of a module is declared or extended.
  private static var files: [String: Set<String>] {
    var files: [String: Set<String>] = [:]
    let declaration =
      /^(?:[a-z@]\w*(?:\(\w+\))? )*(?:class|struct|enum|actor|extension) ([\w.]+).*\{$/
    for file in SourceTree.sources where file.path.hasSuffix(".swift") {
      for line in file.lines {
        guard let match = line.wholeMatch(of: declaration) else { continue }
        files["\(file.module).\(match.1)", default: []].insert(file.path)
      }
    }
    return files
  }

  @Test func noTypeStandsInMoreThanFourFiles() {
    let files = Self.files
    #expect((files["LogStore.Log"]?.count ?? 0) > 1, "the declarations are found")
    let wide = files.filter { $0.value.count > Self.filesMax && Self.exceptions[$0.key] == nil }
    let findings = wide.map { "\($0.key): \($0.value.sorted().joined(separator: ", "))" }.sorted()
    #expect(findings.isEmpty, "give a part of it an owner of its own:\n\(findings.listed)")
    for name in Self.exceptions.keys {
      #expect((files[name]?.count ?? 0) > Self.filesMax, "\(name) needs no exception any more")
    }
  }
}
