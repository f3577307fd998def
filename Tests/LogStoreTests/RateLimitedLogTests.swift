import Logging
import StoreTesting
import Testing

@testable import LogStore

/// Whatever repeats has a line at once, then one a minute with a count.
struct RateLimitedLogTests {
  /// What was written, and a clock.
  private final class Bench: LogHandler, Sendable {
    let lines = Locked<[String]>([])
    let nowNs = Locked<Int64>(5)

    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
      get { nil }
      set {}
    }
    var metadata: Logger.Metadata {
      get { [:] }
      set {}
    }
    var logLevel: Logger.Level {
      get { .info }
      set {}
    }

    func log(event: LogEvent) {
      let metadata = (event.metadata ?? [:]).map { " \($0)=\($1)" }.joined()
      #expect(event.source == "LogStoreTests")
      lines.withLock { $0.append("\(event.level) \(event.message)\(metadata)") }
    }

    func log() -> RateLimitedLog {
      RateLimitedLog(Logger(label: "test") { _ in self }) { [self] in nowNs.withLock { $0 } }
    }
    func passes(seconds: Int64) { nowNs.withLock { $0 += seconds * 1_000_000_000 } }
    /// The lines since it was asked last.
    func take() -> [String] {
      lines.withLock { lines in
        defer { lines = [] }
        return lines
      }
    }
  }

  private let bench = Bench()

  @Test func theFirstLineOfACauseComesAtOnceAndTheOthersAreCounted() {
    let log = bench.log()
    for number in 0..<1000 {
      log.log(.error, cause: "a", "no \(number)", metadata: ["peer": "\(number)"])
    }
    #expect(bench.take() == ["error no 0 peer=0"])
    bench.passes(seconds: 59)
    log.log(.error, cause: "a", "no 1000")
    #expect(bench.take() == [])
    bench.passes(seconds: 1)
    log.log(.error, cause: "a", "no 1001", metadata: ["peer": "x"])
    #expect(bench.take() == ["error no 1001 (and 1000 more since the last such line) peer=x"])
    bench.passes(seconds: 60)
    log.log(.error, cause: "a", "no 1002")
    #expect(bench.take() == ["error no 1002"])
  }

  @Test func whatComesNoMoreIsToldWhenItsMinuteIsOver() {
    let log = bench.log()
    for _ in 0..<3 { log.log(.warning, cause: "a", "cut") }
    log.log(.warning, cause: "b", "once")
    #expect(bench.take().count == 2)
    log.tellDue()
    #expect(bench.take() == [])
    bench.passes(seconds: 60)
    log.tellDue()
    #expect(bench.take() == ["warning cut (and 2 more since the last such line)"])
    // That was this minute's line.
    log.log(.warning, cause: "a", "cut")
    log.tellDue()
    #expect(bench.take() == [])
    log.tellRest()
    #expect(bench.take() == ["warning cut (and 1 more since the last such line)"])
    log.tellRest()
    #expect(bench.take() == [])
  }

  /// However many causes somebody finds: a line for each of so many, and one for all others.
  @Test func causesAreBounded() {
    let log = bench.log()
    for minute in 0..<3 {
      for number in 0..<10_000 { log.log(.info, cause: "\(minute) \(number)", "line") }
      #expect(bench.take().count <= RateLimitedLog.causesMax + 1, "minute \(minute)")
      bench.passes(seconds: 60)
    }
    log.log(.info, cause: "late", "late")
    #expect(bench.take().contains("info late"))
  }

  @Test func noLineGetsLostInTheCounts() {
    let seed = Seed.fromEnvironment(else: 11)
    var generator = seed.generator
    let log = bench.log()
    let count = 20_000
    for _ in 0..<count {
      log.log(.info, cause: "\(Int.random(in: 0..<90, using: &generator))", "line")
      if Int.random(in: 0..<100, using: &generator) == 0 { bench.passes(seconds: 7) }
      if Int.random(in: 0..<900, using: &generator) == 0 { log.tellDue() }
    }
    let before = bench.take()
    log.tellRest()
    let counted = (before + bench.take()).reduce(0) { sum, line in
      let more = line.firstMatch(of: /and (\d+) more/).flatMap { Int($0.output.1) }
      return sum + (more ?? 0)
    }
    // Each line that came of a call stands for itself; those of `tellDue` for what they count.
    let told = before.count { !$0.contains("more") }
    let toldWithCount = before.count { $0.contains("more") }
    let sum = told + counted
    #expect((count - toldWithCount...count).contains(sum), "\(seed): \(sum) of \(count)")
  }

  @Test func whatTheLevelHidesIsNotCounted() {
    let log = bench.log()
    for _ in 0..<3 { log.log(.debug, cause: "a", "hidden") }
    log.tellRest()
    #expect(bench.take() == [])
  }
}
