import Testing

@testable import LogStore

/// Which bytes of a segment were checked.
@Suite struct VerifiedRangesTests {
  /// A file may be larger than any segment; what lies beyond is checked each time.
  @Test func rangesBeyondASegmentsPositionsAreNotKept() {
    let ranges = VerifiedRanges()
    let limit = Int(UInt32.max)
    ranges.insert(10..<limit + 1)
    ranges.insert(limit + 5..<limit + 9)
    #expect(ranges.contains(10..<limit))
    #expect(!ranges.contains(10..<limit + 1))
    #expect(!ranges.contains(limit + 5..<limit + 9))
    #expect(ranges.verifiedEnd(from: 9) == 9)
  }
}
