import StoreTesting
import Testing

/// The scenario of the fuzz target `FuzzLogUse`: its corpus, and random inputs. A trap ends the
/// test run.
///
/// `SEED=<number>` chooses other inputs; LOG_USE_RUNS (300) asks for more of them.
struct LogUseTests {
  private static let folder = SharedVectors.packageRoot + "/Fuzz/corpus/log-use"

  @Test func aLogIsAnArrayWhateverTheDiskDoes() throws {
    let seed = Seed.fromEnvironment(else: 1)
    print("\(seed)")
    var counts: [String: Int] = [:]
    for name in try SharedVectors.names(in: Self.folder) {
      let input = try SharedVectors.bytes("\(Self.folder)/\(name)")
      counts.merge(LogUseScenario.run(input.span), uniquingKeysWith: +)
    }
    #expect(!counts.isEmpty, "the corpus is empty")
    for run in 0..<(environmentNumber("LOG_USE_RUNS") ?? 300) {
      var generator = seed.derived(run).generator
      var input = generator.bytes(20 + generator.index(below: 200))
      input[0] &= 127
      counts.merge(LogUseScenario.run(input.span), uniquingKeysWith: +)
    }
    print("\(counts.sorted { $0.key < $1.key })")
    let needed = [
      "append", "failed append", "refused append", "fetch", "look-up", "look-up of a time",
      "follow", "flush", "close", "kill", "power cut", "planned cut", "planned fault", "reopen",
      "delete",
    ]
    #expect(needed.filter { counts[$0] == nil } == [], "\(seed): \(counts)")
  }
}
