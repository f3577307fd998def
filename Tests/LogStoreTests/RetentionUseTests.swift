import StoreTesting
import Testing

/// P15, P16: histories of a log that loses records, against an array of them and Kafka's rules: the
/// inputs of `FuzzLogUse` that ask for deletions. A trap ends the test run.
///
/// `SEED=<number>` chooses other inputs; RETENTION_RUNS (150) asks for more of them, and
/// RETENTION_RUN=<number> for one. A run takes some eighty steps; every opening after a kill or a
/// power cut is compared with all that was acknowledged.
struct RetentionUseTests {
  @Test func nothingGoesButWhatTheRulesSayAndNothingComesBack() {
    let seed = Seed.fromEnvironment(else: 1)
    let count = environmentNumber("RETENTION_RUNS") ?? 150
    let runs = environmentNumber("RETENTION_RUN").map { $0..<$0 + 1 } ?? 0..<count
    print("\(seed)")
    var counts: [String: Int] = [:]
    for run in runs {
      if run % 500 == 0 { print("RETENTION_RUN \(run)…") }
      var generator = seed.derived(run).generator
      var input = generator.bytes(60 + generator.index(below: 300))
      input[0] |= 128
      counts.merge(LogUseScenario.run(input.span), uniquingKeysWith: +)
    }
    print("\(counts.sorted { $0.key < $1.key })")
    if runs.count < 100 { return }
    let needed = [
      "append", "failed append", "fetch", "fetch of what was deleted", "look-up of a time",
      "follow", "flush", "close", "kill", "power cut", "planned cut", "planned fault", "delete",
      "check", "settings", "clock jump", "records deleted", "truncation", "failed truncation",
      "undo", "truncation completed by an opening", "cut near a deletion", "fault near a deletion",
      "deleted by size", "deleted by time", "last segment deleted",
      "read of deleted records that were held", "held records out of range",
    ]
    #expect(needed.filter { counts[$0] == nil } == [], "\(seed): \(counts)")
  }
}
