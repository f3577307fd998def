import Foundation
import Logging
import StoreTesting
import Testing

@testable import LogStore

/// Idempotent producers on a disk that fails: each record exactly once and in order.
struct ProducerRunTests {
  /// As many runs as `PRODUCER_RUNS` says; the seed of each comes from `SEED`, and without one the
  /// runs are the same each time. One run again: `PRODUCER_RUN=<its seed>`.
  @Test func eachRecordIsThereOnceAndInOrderWhateverFails() {
    let environment = ProcessInfo.processInfo.environment
    let base = Seed.fromEnvironment(else: 777)
    let only = environment["PRODUCER_RUN"].flatMap { UInt64($0) }.map { Seed($0) }
    let count = only == nil ? environment["PRODUCER_RUNS"].flatMap { Int($0) } ?? 5_000 : 1
    let outcomes = WorkerThreads.map(
      jobCount: count, threadCount: ProcessInfo.processInfo.activeProcessorCount
    ) { index in
      guard let only else { return ProducerRun.play(base.derived(index)) }
      return ProducerRun.play(only, logger: Logger(label: "run")) { print($0) }
    }
    var counts = ProducerRunCounts()
    var faults: [String] = []
    for (index, outcome) in outcomes.enumerated() {
      counts.add(outcome.counts)
      if let fault = outcome.fault {
        faults.append("PRODUCER_RUN=\((only ?? base.derived(index)).value): \(fault)")
      }
    }
    print("producer runs: \(count), \(base); \(counts)")
    let first = faults.prefix(5).joined(separator: "\n")
    #expect(faults.isEmpty, "\(base): \(faults.count) of \(count) runs went wrong\n\(first)")
    if count >= 500 { #expect(counts.missing.isEmpty, "never happened: \(counts.missing)") }
  }
}
