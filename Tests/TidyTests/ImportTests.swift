import Testing

/// Which module may see which (docs/architecture.md draws the same arrows).
struct ImportTests {
  private static let codecs: Set = [
    "CMkstoreZstd", "CMkstoreZlib", "CMkstoreLZ4", "CMkstoreSnappy",
  ]
  private static let system: Set = ["Glibc", "Synchronization"]
  private static let seams: Set = ["Logging", "Metrics", "CoreMetrics"]

  private static let allowed: [String: Set<String>] = [
    "CMkstoreShims": [], "CMkstoreZstd": [], "CMkstoreZlib": [], "CMkstoreLZ4": [],
    "CMkstoreSnappy": [],
    "MkstoreBytes": system.union(["CMkstoreShims"]),
    "RecordFormat": system.union(codecs).union(["MkstoreBytes"]),
    "DiskIO": system.union(["MkstoreBytes", "CMkstoreShims"]),
    "LogStore": system.union(seams).union([
      "MkstoreBytes", "RecordFormat", "DiskIO", "CMkstoreShims",
    ]),
    "StoreTesting": system.union([
      "MkstoreBytes", "RecordFormat", "DiskIO", "LogStore", "MkstoreProtocol", "Logging",
    ]),
    "MkstoreProtocol": ["MkstoreBytes"],
    "MkstoreServer": system.union(seams).union([
      "MkstoreBytes", "RecordFormat", "DiskIO", "LogStore", "MkstoreProtocol", "NIOCore",
      "NIOPosix",
    ]),
    "mkstore": system.union([
      "MkstoreBytes", "RecordFormat", "DiskIO", "LogStore", "MkstoreServer", "ArgumentParser",
      "Logging",
      "Metrics", "CoreMetrics", "Configuration", "ServiceLifecycle", "UnixSignals", "Foundation",
    ]),
  ]

  private static func imports(_ file: SourceFile) -> [(line: Int, module: String)] {
    file.code.compactMap { number, text in
      guard let match = text.firstMatch(of: /^\s*(?:[@a-zA-Z]+\s+)*import\s+([A-Za-z0-9_]+)/)
      else { return nil }
      return (number, String(match.output.1))
    }
  }

  @Test func modulesImportOnlyAlongTheArrows() throws {
    var findings: [String] = []
    for file in SourceTree.sources where file.path.hasSuffix(".swift") {
      let allowed = try #require(Self.allowed[file.module], "\(file.module) is in no list")
      for (line, module) in Self.imports(file) where !allowed.contains(module) {
        findings.append("\(file.path):\(line): \(file.module) must not import \(module)")
      }
    }
    #expect(findings.isEmpty, "\(findings.listed)")
  }

  @Test func onlyTestsSeeTheSimulatedDisk() {
    let findings = SourceTree.sources.filter { $0.module != "StoreTesting" }.flatMap {
      $0.matches(of: /import\s+StoreTesting/, inCode: true)
    }
    #expect(findings.isEmpty, "\(findings.listed)")
  }

  @Test func everyModuleIsLookedAt() {
    let seen = Set(SourceTree.sources.map(\.module))
    #expect(seen.isSuperset(of: ["MkstoreBytes", "RecordFormat", "DiskIO", "LogStore", "mkstore"]))
  }
}
