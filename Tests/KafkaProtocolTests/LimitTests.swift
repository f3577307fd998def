import Foundation
import MkstoreProtocol
import Testing

/// What a peer can make this package allocate.
@Suite struct LimitTests {
  /// A request's header up to the body, in the form `api` and `version` have.
  private func header(_ api: ApiKey, _ version: Int16) -> [UInt8] {
    let flexible = api.support?.isFlexible(version) == true
    return [0, UInt8(api.rawValue), 0, UInt8(version), 0, 0, 0, 9, 0xff, 0xff]
      + (flexible ? [0] : [])
  }

  private func problem(
    _ frame: [UInt8], limits: ProtocolLimits = .standard
  ) -> MalformedField.Problem? {
    do throws(ProtocolError) {
      _ = try Request.decode(frame, limits: limits)
      return nil
    } catch {
      guard case .malformed(let field) = error else { return nil }
      return field.problem
    }
  }

  @Test(arguments: [
    (
      [0x7f, 0xff, 0xff, 0xff] as [UInt8],
      MalformedField.Problem.countBeyondMessage(count: Int(Int32.max), left: 8)
    ),
    ([0x80, 0, 0, 0], .negativeLength(Int(Int32.min))),
    ([0xff, 0xff, 0xff, 0xfe], .negativeLength(-2)),
    ([0, 0, 0, 5], .countBeyondMessage(count: 5, left: 8)),
  ])
  func arrayCountIsCheckedBeforeAllocating(
    _ count: [UInt8], _ expected: MalformedField.Problem
  ) {
    // Metadata v1: an array of strings of at least two bytes each.
    #expect(problem(header(.metadata, 1) + count + [UInt8](repeating: 0, count: 8)) == expected)
  }

  @Test(arguments: [
    (
      [0xff, 0xff, 0xff, 0xff, 0x0f] as [UInt8],
      MalformedField.Problem.countBeyondMessage(count: Int(UInt32.max) - 1, left: 8)
    ),
    ([0xff, 0xff, 0xff, 0xff, 0x1f], .varintTooLong),
    ([0x80, 0x80, 0x80, 0x80, 0x80, 0x00], .varintTooLong),
  ])
  func compactCountIsCheckedBeforeAllocating(
    _ count: [UInt8], _ expected: MalformedField.Problem
  ) {
    #expect(problem(header(.metadata, 12) + count + [UInt8](repeating: 0, count: 8)) == expected)
  }

  @Test func nullWhereTheVersionHasNoneIsRefused() {
    #expect(problem(header(.metadata, 0) + [0xff, 0xff, 0xff, 0xff]) == .unexpectedNull)
    #expect(problem(header(.metadata, 1) + [0xff, 0xff, 0xff, 0xff]) == nil)
    #expect(problem(header(.findCoordinator, 0) + [0xff, 0xff]) == .unexpectedNull)
    #expect(problem(header(.findCoordinator, 3) + [0, 0, 0]) == .unexpectedNull)
  }

  @Test(arguments: [32_766, 32_767, 32_768])
  func compactStringIsLimitedAsKafkaLimitsIt(_ count: Int) throws {
    let stored = count + 1
    let length = [
      UInt8(truncatingIfNeeded: stored) | 0x80, UInt8(truncatingIfNeeded: stored >> 7) | 0x80,
      UInt8(stored >> 14),
    ]
    let text = [UInt8](repeating: 0x61, count: count)
    let frame = header(.findCoordinator, 3) + length + text + [0, 0]
    let expected: MalformedField.Problem? =
      count > 32_767 ? .stringTooLong(byteCount: count, limit: 32_767) : nil
    #expect(problem(frame) == expected)
    let request = Request(
      version: 3, correlationId: 9, clientId: nil,
      body: .findCoordinator(.with { $0.key = String(repeating: "a", count: count) }))
    do throws(ProtocolError) {
      #expect(try request.encode().body() == frame)
      #expect(expected == nil)
    } catch {
      guard case .malformed(let field) = error else { throw error }
      #expect(field.problem == expected)
      #expect(field.field == "Key")
    }
  }

  @Test func stringMustBeUtf8() {
    #expect(problem(header(.findCoordinator, 0) + [0, 2, 0xc3, 0x28]) == .invalidUtf8)
    #expect(problem(header(.findCoordinator, 0) + [0, 2, 0xc3, 0xa9]) == nil)
  }

  @Test(arguments: [9, 10, 11])
  func elementsAreCountedOverTheWholeMessage(_ partitions: Int) {
    let body: RequestBody = .fetch(
      .with {
        $0.topics = (0..<2).map { _ in
          .with { $0.partitions = Array(repeating: .init(), count: partitions / 2) }
        }
        $0.forgottenTopicsData = [
          .with { $0.partitions = Array(repeating: 0, count: partitions % 2) }
        ]
      })
    let request = Request(version: 12, correlationId: 0, clientId: nil, body: body)
    let limits = ProtocolLimits(elementsMax: 13)
    guard let frame = try? request.encode().body() else {
      Issue.record("not encoded")
      return
    }
    let expected: MalformedField.Problem? =
      partitions > 10 ? .tooManyElements(count: 14, limit: 13) : nil
    #expect(problem(frame, limits: limits) == expected)
  }

  @Test(arguments: [126, 127, 128])
  func taggedFieldsAreLimited(_ count: Int) {
    var tags: [UInt8] = []
    for index in 0..<count { tags += [UInt8(index), 0] }
    let length: [UInt8] = count < 128 ? [UInt8(count)] : [0x80, 1]
    let frame = header(.findCoordinator, 3) + [2, 0x67, 0] + length + tags
    #expect(problem(frame) == (count > 127 ? .tooManyTags(count: 128, limit: 127) : nil))
    var body = FindCoordinatorRequest()
    body.tags = (0..<count).map { TaggedField(tag: UInt32($0), bytes: []) }
    let request = Request(
      version: 3, correlationId: 0, clientId: nil, body: .findCoordinator(body))
    #expect(((try? request.encode()) != nil) == (count <= 127))
  }

  @Test func tagNumbersMustRiseAndSizesMustHold() {
    let start = header(.findCoordinator, 3) + [2, 0x67, 0]
    #expect(problem(start + [2, 5, 0, 5, 0]) == .tagsOutOfOrder(5, after: 5))
    #expect(problem(start + [2, 5, 0, 4, 0]) == .tagsOutOfOrder(4, after: 5))
    #expect(problem(start + [1, 5, 2, 0]) == .truncated(needed: 2, left: 1))
    // Fetch's known tag 0 holds a string of one byte, but says three.
    let fetch = Request(version: 12, correlationId: 9, clientId: nil, body: .fetch(.init()))
    guard let frame = try? fetch.encode().body() else {
      Issue.record("not encoded")
      return
    }
    #expect(
      problem(frame.dropLast() + [1, 0, 3, 2, 0x78, 0])
        == .taggedFieldSize(0, expected: 3, found: 2))
  }

  @Test func bombsStayWithinASmallMultipleOfTheirSize() async {
    await #expect(processExitsWith: .success) {
      let bombs = LimitTests.denseFrames()
      try LimitTests.limitMemory(to: 32 << 20)
      // As many of the elements with the least on the wire as there may be: all are read.
      for bomb in bombs {
        guard try Request.decode(bomb).trailing == nil else { exit(2) }
      }
      // A mebibyte of one byte, which is also a count at every place that has one.
      for filling: UInt8 in [0x00, 0x01, 0x02, 0x7f, 0x80, 0xff] {
        let frame = [UInt8](repeating: filling, count: 1 << 20)
        for api in ApiKey.supported {
          for version in api.support?.versions ?? 0...0 {
            let head = [0, UInt8(api.rawValue), 0, UInt8(version), 0, 0, 0, 0, 0, 0]
            _ = try? Request.decode(head + frame.dropFirst(10))
            _ = try? Response.decode(frame, api: api, version: version)
          }
        }
      }
      exit(0)
    }
  }

  /// The memory limit of the test above does bite.
  @Test func memoryLimitOfTheBombTestIsInForce() async {
    await #expect(processExitsWith: .failure) {
      try LimitTests.limitMemory(to: 32 << 20)
      exit([UInt8](repeating: 1, count: 64 << 20)[1 << 20] == 1 ? 0 : 1)
    }
  }

  /// Requests with 200,000 of the shortest elements, the most that the limits let in.
  static func denseFrames() -> [[UInt8]] {
    func many(_ element: [UInt8]) -> [UInt8] {
      [UInt8](repeating: 0, count: element.count * 200_000).indices.map {
        element[$0 % element.count]
      }
    }
    let compactCount: [UInt8] = [0xc1, 0x9a, 0x0c]  // 200,001 stands for 200,000
    let uuid = [UInt8](repeating: 0, count: 16)
    let head: [UInt8] = [0, 0, 0, 0, 0xff, 0xff]
    return [
      // Metadata: empty names; ids of zero with empty names.
      [0, 3, 0, 1] + head + [0, 3, 0x0d, 0x40] + many([0, 0]),
      [0, 3, 0, 12] + head + [0] + compactCount + many(uuid + [1, 0]) + [0, 0, 0],
      // FindCoordinator: empty keys. Produce: topics without name and partitions.
      [0, 10, 0, 4] + head + [0, 0] + compactCount + many([1]) + [0],
      [0, 0, 0, 9] + head + [0, 0] + [0, 0, 0, 0, 0, 0] + compactCount
        + many([1, 1, 0]) + [0],
      // Produce: half of them topics, half their unknown tagged fields of one byte.
      [0, 0, 0, 9] + head + [0, 0] + [0, 0, 0, 0, 0, 0] + [0xa1, 0x8d, 0x06]
        + many([1, 1, 1, 5, 1, 7]).prefix(600_000) + [0],
    ]
  }

  /// Lets this process have only `byteCount` bytes more than it has.
  static func limitMemory(to byteCount: Int) throws {
    let limit = rlim_t(try dataBytes() + byteCount)
    var limits = rlimit(rlim_cur: limit, rlim_max: limit)
    // RLIMIT_DATA. Safe: the pointer is to a local of the type that the call reads.
    guard unsafe setrlimit(__rlimit_resource_t(2), &limits) == 0 else { exit(3) }
  }

  /// The bytes that RLIMIT_DATA counts: the sixth field of /proc/self/statm, in pages.
  static func dataBytes() throws -> Int {
    let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    let pages = text.split(separator: " ").compactMap { Int($0) }
    return pages[5] * 4096
  }
}
