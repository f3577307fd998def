import Testing

/// Size and wording of files.
struct ShapeTests {
  private static let swift =
    (SourceTree.sources + SourceTree.tests).filter { $0.path.hasSuffix(".swift") }

  @Test func filesHaveAtMost400Lines() {
    let findings = Self.swift.compactMap { file in
      file.lines.count - 1 > 400 ? "\(file.path): \(file.lines.count - 1) lines" : nil
    }
    #expect(findings.isEmpty, "split along the meaning:\n\(findings.listed)")
  }

  @Test func linesHaveAtMost100Columns() {
    let files = Self.swift + SourceTree.sources.filter { !$0.path.hasSuffix(".swift") }
    let findings = files.flatMap { file in
      file.lines.enumerated().compactMap { index, line in
        line.count > 100 ? "\(file.path):\(index + 1): \(line.count) columns" : nil
      }
    }
    #expect(findings.isEmpty, "\(findings.listed)")
  }

  @Test func nothingIsLeftForLater() {
    // In pieces, so that this file does not find itself.
    let marks: Set = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
    let findings = (SourceTree.sources + SourceTree.tests + SourceTree.scripts).flatMap { file in
      file.matches(of: /\b[A-Z]{3,5}\b/).filter { finding in
        marks.contains { finding.hasSuffix(": \($0)") }
      }
    }
    #expect(findings.isEmpty, "\(findings.listed)")
  }

  @Test func noNamesOfTheWorkshopAreLeftBehind() {
    let names = [
      "/wo" + "rk/", "CONTR" + "ACT.md", "Cla" + "ude", "Anthro" + "pic",
      "/opt/sw" + "ift-packages", "before-" + "stop",
    ]
    let all =
      SourceTree.sources + SourceTree.tests + SourceTree.scripts + SourceTree.documents
    let findings = all.flatMap { file in
      names.flatMap { name in
        file.lines.enumerated().compactMap { index, line in
          line.contains(name) ? "\(file.path):\(index + 1): \(name)" : nil
        }
      }
    }
    #expect(findings.isEmpty, "\(findings.listed)")
  }

  @Test func testsNeitherSleepNorAreSwitchedOff() {
    let files = SourceTree.tests.filter { $0.path.hasPrefix("Tests/") && $0.module != "TidyTests" }
    let findings = files.filter { $0.path.hasSuffix(".swift") }.flatMap {
      $0.matches(of: /\.disabled\(|\bTask\.sleep\b|\bThread\.sleep\b|\busleep\(/, inCode: true)
    }
    #expect(findings.isEmpty, "\(findings.listed)")
  }
}
