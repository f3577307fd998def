import Testing

/// Which module may see which (docs/architecture.md draws the same arrows).
struct ImportTests {
  private static let codecs: Set = ["CZstd", "CZlib", "CLZ4", "CSnappy"]
  private static let system: Set = ["Glibc", "Synchronization"]
  private static let seams: Set = ["Logging", "Metrics", "CoreMetrics"]

  private static let allowed: [String: Set<String>] = [
    "CShims": [], "CZstd": [], "CZlib": [], "CLZ4": [], "CSnappy": [],
    "Bytes": system.union(["CShims"]),
    "RecordFormat": system.union(codecs).union(["Bytes"]),
    "DiskIO": system.union(["Bytes", "CShims"]),
    "LogStore": system.union(seams).union(["Bytes", "RecordFormat", "DiskIO", "CShims"]),
    "StoreTesting": system.union([
      "Bytes", "RecordFormat", "DiskIO", "LogStore", "KafkaProtocol", "Logging",
    ]),
    "KafkaProtocol": ["Bytes"],
    "KafkaServer": system.union(seams).union([
      "Bytes", "RecordFormat", "DiskIO", "LogStore", "KafkaProtocol", "NIOCore", "NIOPosix",
    ]),
    "mkstore": system.union([
      "Bytes", "RecordFormat", "DiskIO", "LogStore", "KafkaServer", "ArgumentParser", "Logging",
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
    #expect(seen.isSuperset(of: ["Bytes", "RecordFormat", "DiskIO", "LogStore", "mkstore"]))
  }
}
