import Testing

@testable import LogStore

/// Kafka's rules for old segments, in numbers that were seen on Kafka 3.9 or follow from its
/// source.
@Suite struct RetentionRuleTests {
  private func rule(
    ms: Int64 = -1, bytes: Int64 = -1, start: Int64 = 0, highWatermark: Int64 = .max,
    now: Int64 = 1_000_000, byPolicy: Bool = true
  ) -> RetentionRule {
    var config = LogConfig()
    config.retentionMs = ms
    config.retentionBytes = bytes
    return RetentionRule(
      config: config, deletesByPolicy: byPolicy, logStartOffset: start,
      highWatermark: highWatermark, nowMs: now)
  }

  /// Segments of three offsets each.
  private func segments(_ bytes: Int64...) -> [RetentionRule.Candidate] {
    bytes.enumerated().map { index, bytes in
      .init(baseOffset: Int64(index) * 3, endOffset: Int64(index) * 3 + 3, bytes: bytes)
    }
  }

  private func count(
    _ rule: RetentionRule, _ segments: [RetentionRule.Candidate], times: [Int64] = []
  ) -> Int {
    rule.removals(segments) { times[$0] }.count
  }

  @Test func whatIsLeftHoldsRetentionBytes() {
    // 882 bytes in three segments: with 900 none goes (seen on Kafka 3.9).
    let three = segments(294, 294, 294)
    #expect(count(rule(bytes: 900), three) == 0)
    #expect(count(rule(bytes: 882), three) == 0)
    #expect(count(rule(bytes: 589), three) == 0)
    #expect(count(rule(bytes: 588), three) == 1)
    #expect(count(rule(bytes: 0), three) == 3, "the last one goes too; it is rolled first")
    #expect(count(rule(bytes: -1), three) == 0)
    // The walk ends at the first one that stays, whatever comes after it.
    #expect(count(rule(bytes: 100), segments(500, 10, 10)) == 0)
  }

  @Test func timeIsComparedStrictlyAndEndsAtTheFirstYoungSegment() {
    let three = segments(10, 10, 10)
    #expect(count(rule(ms: 100), three, times: [999_900, 0, 0]) == 0, "just as old is not older")
    #expect(count(rule(ms: 100), three, times: [999_899, 999_899, 999_901]) == 2)
    #expect(count(rule(ms: 100), three, times: [5, 1_000_001, 5]) == 1, "the walk ends")
    #expect(count(rule(ms: 0), three, times: [0, 0, 1_000_000]) == 2)
    #expect(count(rule(ms: -1), three, times: [0, 0, 0]) == 0)
  }

  @Test func theStartOffsetNeedsNoPolicyAndNeverTakesTheLastSegment() {
    let three = segments(10, 10, 10)
    #expect(count(rule(start: 3, byPolicy: false), three) == 1)
    #expect(count(rule(start: 5, byPolicy: false), three) == 1)
    #expect(count(rule(start: 9, byPolicy: false), three) == 2)
    #expect(count(rule(ms: 0, bytes: 0, byPolicy: false), three, times: [0, 0, 0]) == 0)
  }

  @Test func theRulesFollowEachOther() {
    let four = segments(100, 100, 100, 100)
    let all = rule(ms: 100, bytes: 250, start: 3)
    let reasons = all.removals(four) { [0, 0, 0, 1_000_000][$0] }
    // 100 below the start; of the 300 left, none by size; one more would leave 200 < 250.
    #expect(reasons == [.startOffset, .time, .time])
    #expect(rule(bytes: 200, start: 3).removals(four) { _ in 0 } == [.startOffset, .size])
  }

  @Test func whatIsNotAcknowledgedStaysAndSoDoesAnEmptyEnd() {
    #expect(count(rule(ms: 0, highWatermark: 5), segments(1, 1, 1), times: [0, 0, 0]) == 1)
    #expect(count(rule(ms: 0), segments(1, 1, 0), times: [0, 0, 0]) == 2)
    #expect(count(rule(bytes: 0), segments(0), times: [0]) == 0)
  }

  @Test func extremeTimesDoNotTrap() {
    let one = segments(1)
    #expect(count(rule(ms: .max, now: .max), one, times: [.min]) == 1)
    #expect(count(rule(ms: 0, now: .min), one, times: [.max]) == 0)
    #expect(rule(ms: .max).expiryMs(1) == nil && rule(ms: 10).expiryMs(5) == 16)
  }

  @Test func timesFromTheFutureCountOnlyWhereTheyAreTrusted() {
    var config = LogConfig()
    let (now, day): (Int64, Int64) = (10_000_000_000, 86_400_000)
    func effective(_ largest: Int64, lastWrite: Int64, notAhead: Int64 = -1) -> Int64 {
      SegmentTime(largestMs: largest, lastWriteMs: lastWrite)
        .effectiveMs(config, nowMs: now) { notAhead }
    }
    #expect(effective(5, lastWrite: 700) == 5)
    #expect(effective(-1, lastWrite: 700) == 700, "no record has a time")
    #expect(effective(now + day, lastWrite: 700) == now + day, "a day ahead is not too far")
    #expect(effective(now + day + 1, lastWrite: 700) == 700)
    #expect(effective(.max, lastWrite: 700, notAhead: 900) == 900)
    config.timestampAfterMaxMs = 50
    #expect(effective(now + 51, lastWrite: 700) == 700)
    #expect(effective(now + 50, lastWrite: 700) == now + 50)
    config.trustsFutureTimes = true
    #expect(effective(.max, lastWrite: 700) == .max)
  }
}
