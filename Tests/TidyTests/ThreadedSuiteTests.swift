import Testing

/// `tools/test tsan` runs every suite whose tests use threads (Tests/tsan-suites).
///
/// The rule: a suite uses threads where a file that declares or extends it names something that
/// starts one (`starts`), or a type of a helper file (one without tests, in the same target) of
/// which that is true. `Store.open(` does not count in a file that says `startsFlusher =
/// false`: that is a simulation, in which nothing runs by itself; where only some of its tests are,
/// the suite may be on the list.
struct ThreadedSuiteTests {
  private static let listPath = "Tests/tsan-suites"

  /// Suites that use threads and are not run there, and why.
  private static let exclusions = [
    "EndToEndTests.IndependentReaderTests": "needs a Python with clients, a process",
    "EndToEndTests.ReadmeTests": "starts processes, which are not built with the sanitizer",
    "EndToEndTests.SharedSyncPowerCutTests": "needs a disk of its own and root",
    // Too long for the budget; what they took alone, with the sanitizer.
    "LogStoreTests.CutOpeningTests": "53 s of processor time",
    "LogStoreTests.LiveCopyTests": "125 s of processor time",
    "LogStoreTests.LogStartCheckpointTests": "51 s of processor time",
  ]

  /// What starts a thread or a task: Swift's and the system's own ways, and the product's parts
  /// that have a thread.
  private static let starts = [
    "PinnedThread(", " Thread(", " Thread {", "Thread.detach", "pthread_create", "DispatchQueue",
    "Task {",
    "Task.detached", "async let ", "TaskGroup(", "WorkerThreads.map", "BrokerServer(", "Flusher(",
    "FetcherPool(", "Housekeeper(", "LogReopener(", "MessageWriter", "threadCount: 2",
    "threadCount: 4",
  ]

  /// What the rule goes by of one file.
  private struct Facts {
    var starts: Bool
    /// Whether it opens a store, perhaps without threads.
    var opens: Bool
    var hasTests: Bool
    /// Names of the types that it declares.
    var declared: [Substring]
    /// Names of the suites that it declares or extends.
    var suites: [Substring]
    var words: Set<Substring>

    init(_ file: SourceFile) {
      let lines = file.code.map(\.text)
      func contains(_ text: String) -> Bool { lines.contains { $0.contains(text) } }
      opens = contains("Store.openBlocking(")
      starts =
        opens && !contains("startsFlusher = false")
        || ThreadedSuiteTests.starts.contains(where: contains)
      hasTests = contains("@Test")
      let declaration = /^(?:@\S+ |[a-z]+ )*(struct|class|enum|actor|extension) (\w+)/
      let types = lines.filter { $0.first.map { $0 != " " } ?? false }
        .compactMap { $0.firstMatch(of: declaration)?.output }
      declared = types.filter { $0.1 != "extension" }.map(\.2)
      suites = types.map(\.2).filter { $0.hasSuffix("Tests") }
      words = Set(
        lines.flatMap { $0.split { !$0.isLetter && !$0.isNumber && $0 != "_" } })
    }

    func usesThreads(_ helpers: Set<Substring>) -> Bool {
      starts || !words.isDisjoint(with: helpers)
    }
  }

  /// The suites of one target that use threads, and those that may.
  private static func suites(
    of target: String, _ files: [Facts]
  ) -> (found: Set<String>, possible: Set<String>) {
    var helpers: Set<Substring> = []
    var count = -1
    while helpers.count > count {
      count = helpers.count
      for file in files where !file.hasTests && file.usesThreads(helpers) {
        helpers.formUnion(file.declared)
      }
    }
    func names(_ isMeant: (Facts) -> Bool) -> Set<String> {
      Set(files.filter { $0.hasTests && isMeant($0) }.flatMap(\.suites).map { "\(target).\($0)" })
    }
    return (names { $0.usesThreads(helpers) }, names { $0.usesThreads(helpers) || $0.opens })
  }

  private static let all: (found: Set<String>, possible: Set<String>) = {
    let files = SourceTree.tests.filter {
      $0.path.hasPrefix("Tests/") && $0.path.hasSuffix(".swift") && $0.module != "TidyTests"
    }
    let targets = Dictionary(grouping: files, by: \.module)
    return targets.reduce(into: (found: [], possible: [])) { result, target in
      let suites = suites(of: target.key, target.value.map(Facts.init))
      result.found.formUnion(suites.found)
      result.possible.formUnion(suites.possible)
    }
  }()

  private static func lines() throws -> [String] {
    try #require(SourceTree.file(listPath)).lines.filter { !$0.isEmpty && !$0.hasPrefix("#") }
      .map(String.init)
  }

  private static func listed() throws -> [String] { try lines().filter { !$0.hasPrefix("-") } }

  @Test func everySuiteThatUsesThreadsIsOnTheList() throws {
    for known in ["LogStoreTests.FlusherTests", "KafkaServerTests.ProduceTests"] {
      #expect(Self.all.found.contains(known), "the rule finds nothing")
    }
    let listed = Set(try Self.listed())
    let missing = Self.all.found.subtracting(listed).subtracting(Self.exclusions.keys).sorted()
    #expect(
      missing.isEmpty,
      "they use threads: add them to \(Self.listPath), or say here why not:\n\(missing.listed)")
  }

  @Test func theListHoldsNothingElse() throws {
    let listed = try Self.listed()
    #expect(listed == Set(listed).sorted(), "sorted, each once")
    let stale = Set(listed).union(Self.exclusions.keys).subtracting(Self.all.possible).sorted()
    #expect(stale.isEmpty, "no such suite, or it uses no threads:\n\(stale.listed)")
    #expect(Set(listed).isDisjoint(with: Self.exclusions.keys), "listed and excluded")
  }

  /// Tests that are left out stand behind their suite, with the reason.
  @Test func testsThatAreLeftOutAreThereAndSayWhy() throws {
    var suite = ""
    for line in try Self.lines() {
      guard line.hasPrefix("-") else {
        suite = line
        continue
      }
      let match = line.wholeMatch(of: /-([\w.]+)\/(\w+) +# .+/)
      let parts = try #require(match, "no -Target.Suite/test with a reason: \(line)").output
      #expect(parts.1 == suite, "not behind its suite: \(line)")
      let target = suite.prefix { $0 != "." }
      #expect(
        SourceTree.tests.contains { file in
          file.module == target && file.lines.contains { $0.contains("func \(parts.2)(") }
        }, "no such test: \(line)")
    }
  }

  @Test func theGateRunsTheList() throws {
    let gate = try #require(SourceTree.file("tools/test"))
    #expect(gate.lines.contains { $0.contains(Self.listPath) && !$0.hasPrefix("#") })
  }
}
