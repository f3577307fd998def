import Testing

/// What the sources refer to exists: documents, decisions, invariants, promises.
struct ReferenceTests {
  private static let all = SourceTree.sources + SourceTree.tests

  /// The anchors of a document's headings, as GitHub makes them.
  private static func anchors(_ document: SourceFile) -> Set<String> {
    var result: Set<String> = []
    for line in document.lines {
      if let heading = line.firstMatch(of: /^#+\s+(.*)$/) {
        let kept = heading.output.1.lowercased().filter {
          $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_"
        }
        result.insert(kept.replacing(" ", with: "-"))
      }
      for match in line.matches(of: /<a (?:id|name)="([^"]+)">/) {
        result.insert(String(match.output.1))
      }
    }
    return result
  }

  @Test func documentsReferredToExist() {
    var findings: [String] = []
    for file in Self.all + SourceTree.documents + SourceTree.scripts {
      for (index, line) in file.lines.enumerated() where line.contains("docs/") {
        for match in line.matches(of: /\bdocs\/[A-Za-z0-9\/_-]+(?:\.[a-z]+)?(#[A-Za-z0-9_-]+)?/) {
          let parts = match.output.0.split(separator: "#")
          let place = "\(file.path):\(index + 1)"
          guard SourceTree.exists(String(parts[0])) else {
            findings.append("\(place): \(parts[0]) does not exist")
            continue
          }
          guard parts.count == 2, let document = SourceTree.file(String(parts[0])) else { continue }
          if !Self.anchors(document).contains(String(parts[1])) {
            findings.append("\(place): \(parts[0]) has no heading #\(parts[1])")
          }
        }
      }
    }
    #expect(findings.isEmpty, "\(findings.listed)")
  }

  @Test func linksInDocumentsLeadSomewhere() {
    var findings: [String] = []
    for document in SourceTree.documents {
      let folder = document.path.split(separator: "/").dropLast().joined(separator: "/")
      for (index, line) in document.lines.enumerated() where line.contains("](") {
        for match in line.matches(of: /\]\(([^)#\s]*)(?:#([^)\s]+))?\)/) {
          let (target, anchor) = (String(match.output.1), match.output.2.map(String.init))
          if target.contains("://") || target.hasPrefix("mailto:") { continue }
          let path = target.isEmpty ? document.path : Self.resolved(target, from: folder)
          let isThere = SourceTree.exists(path)
          let isAnchor =
            anchor.map { anchor in
              SourceTree.file(path).map { Self.anchors($0).contains(anchor) } ?? false
            } ?? true
          if !isThere || !isAnchor {
            findings.append("\(document.path):\(index + 1): \(match.output.0)")
          }
        }
      }
    }
    #expect(findings.isEmpty, "\(findings.listed)")
  }

  /// A relative path, seen from the root.
  private static func resolved(_ target: String, from folder: String) -> String {
    var parts = folder.split(separator: "/").map(String.init)
    for part in target.split(separator: "/") {
      if part == ".." { _ = parts.popLast() } else if part != "." { parts.append(String(part)) }
    }
    return parts.joined(separator: "/")
  }

  /// Numbers like I7 in some files.
  private static func numbers(_ pattern: Regex<Substring>, _ files: [SourceFile]) -> Set<String> {
    var result: Set<String> = []
    for file in files {
      for line in file.lines {
        for match in line.matches(of: pattern) { result.insert(String(match.output)) }
      }
    }
    return result
  }

  @Test func invariantsUsedAreDocumentedAndTested() throws {
    let pattern = /\bI[1-9][0-9]?\b/
    let used = Self.numbers(pattern, SourceTree.sources.filter { $0.path.hasSuffix(".swift") })
    let architecture = try #require(SourceTree.file("docs/architecture.md"))
    let documented = Self.numbers(pattern, [architecture])
    let tested = Self.numbers(
      pattern, SourceTree.tests.filter { $0.path.hasPrefix("Tests/") && $0.module != "TidyTests" })
    #expect(used.subtracting(documented).sorted() == [], "not in docs/architecture.md")
    #expect(used.union(documented).subtracting(tested).sorted() == [], "named by no test")
  }

  @Test func promisesNamedAreDocumented() throws {
    let pattern = /\bP[1-9][0-9]?\b/
    let named = Self.numbers(pattern, Self.all.filter { $0.module != "TidyTests" })
    let promises = try #require(SourceTree.file("docs/promises.md"))
    #expect(named.subtracting(Self.numbers(pattern, [promises])).sorted() == [])
  }

  @Test func promisesKeptAreNamedByATest() throws {
    let promises = try #require(SourceTree.file("docs/promises.md"))
    let kept = promises.lines.filter { $0.contains("| kept") }.compactMap {
      $0.firstMatch(of: /^\| (P[0-9]+) \|/).map { String($0.output.1) }
    }
    let tested = Self.numbers(/\bP[1-9][0-9]?\b/, SourceTree.tests)
    #expect(Set(kept).subtracting(tested).sorted() == [], "said to be kept, named by no test")
  }

  @Test func recoveryRowsAreDocumented() throws {
    let pattern = /\bR[1-9][0-9]?\b/
    let used = Self.numbers(pattern, SourceTree.sources.filter { $0.path.contains("/Plan/") })
    let durability = try #require(SourceTree.file("docs/durability.md"))
    #expect(used.subtracting(Self.numbers(pattern, [durability])).sorted() == [])
    #expect(used.count == 13)
  }

  @Test func decisionsAreNumberedAndDated() {
    let decisions = SourceTree.documents.filter { $0.path.hasPrefix("docs/decisions/") }
    #expect(!decisions.isEmpty)
    for decision in decisions {
      let name = decision.path.split(separator: "/").last ?? ""
      #expect(name.contains(/^[0-9]{4}-[a-z0-9-]+\.md$/), "\(decision.path)")
      #expect(
        decision.lines.contains { $0.contains(/^Date: [0-9]{4}-[0-9]{2}-[0-9]{2}$/) },
        "\(decision.path) has no date")
    }
  }
}
