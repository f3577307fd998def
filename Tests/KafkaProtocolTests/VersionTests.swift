import MkstoreProtocol
import Testing

/// What is offered, and what happens outside of it.
@Suite struct VersionTests {
  /// docs/protocol.md; measured with real clients.
  static let offered: [(ApiKey, ClosedRange<Int16>, flexibleFrom: Int16)] = [
    (.produce, 0...9, 9), (.fetch, 4...12, 12), (.listOffsets, 1...7, 6), (.metadata, 0...12, 9),
    (.findCoordinator, 0...4, 3), (.apiVersions, 0...4, 3), (.createTopics, 2...7, 5),
    (.deleteTopics, 1...6, 4), (.deleteRecords, 0...2, 2), (.initProducerId, 0...4, 2),
    (.offsetForLeaderEpoch, 2...4, 4),
    (.describeConfigs, 1...4, 4), (.alterConfigs, 0...2, 2), (.describeLogDirs, 0...4, 2),
    (.createPartitions, 0...3, 2), (.incrementalAlterConfigs, 0...1, 1),
    (.describeCluster, 0...1, 0),
  ]

  @Test func rangesAreThoseOfTheDocument() {
    #expect(ApiKey.supported == Self.offered.map(\.0))
    for (api, versions, flexibleFrom) in Self.offered {
      #expect(api.support?.versions == versions, "\(api.name)")
      #expect(api.support?.flexibleFrom == flexibleFrom, "\(api.name)")
    }
  }

  @Test(arguments: ApiKey.supported)
  func versionOutsideTheRangeIsRefusedWithTheHeader(_ api: ApiKey) throws {
    let versions = try #require(api.support).versions
    for version in [versions.lowerBound - 1, versions.upperBound + 1, -1, .max, .min] {
      let header = RequestHeader(api: api, version: version, correlationId: 4711, clientId: "me")
      var frame: [UInt8] = [0, UInt8(api.rawValue)]
      frame += [UInt8(truncatingIfNeeded: version >> 8), UInt8(truncatingIfNeeded: version)]
      frame += [0, 0, 0x12, 0x67, 0, 2, 0x6d, 0x65, 0]
      #expect(throws: ProtocolError.unsupportedVersion(header, supported: versions)) {
        try Request.decode(frame)
      }
      #expect(throws: ProtocolError.self) {
        try Response.decode([0, 0, 0, 0], api: api, version: version)
      }
    }
  }

  @Test(arguments: [999 as Int16, -1, 8, 11, 17, 36, 75])
  func otherApisAreRefusedWithTheHeader(_ key: Int16) throws {
    var frame: [UInt8] = [UInt8(truncatingIfNeeded: key >> 8), UInt8(truncatingIfNeeded: key)]
    frame += [0, 3, 0, 0, 0, 1, 0, 2, 0x6d, 0x65, 1, 2, 3]
    var header = RequestHeader()
    header.apiKey = key
    header.apiVersion = 3
    header.correlationId = 1
    header.clientId = "me"
    #expect(throws: ProtocolError.unsupportedApi(header)) { try Request.decode(frame) }
  }

  @Test func onlyControlledShutdownV0HasNoClientId() throws {
    let header = try RequestHeader.decode([0, 7, 0, 0, 0, 0, 0, 3])
    #expect(header.headerVersion == 0)
    #expect(header.correlationId == 3)
    #expect(throws: ProtocolError.self) { try RequestHeader.decode([0, 7, 0, 1, 0, 0, 0, 3]) }
  }

  @Test func unknownApiVersionsVersionGetsTheV0FormWithItsOwnRange() throws {
    let frame: [UInt8] = [0, 18, 0, 9, 0, 0, 0, 42, 0xff, 0xff, 0]
    do throws(ProtocolError) {
      _ = try Request.decode(frame)
      Issue.record("v9 reads")
    } catch .unsupportedVersion(let header, _) {
      let answer = try ApiVersionsResponse.unsupportedVersion(of: header).encode()
      // As Kafka 3.9.0 answers.
      #expect(
        answer.body() == [0, 0, 0, 42, 0, 0x23, 0, 0, 0, 1, 0, 0x12, 0, 0, 0, 4])
    }
  }

  @Test func offeringListsEverySupportedApi() {
    let keys = ApiVersionsResponse.offering().apiKeys
    #expect(keys.map(\.apiKey) == Self.offered.map(\.0.rawValue))
    #expect(keys.map(\.minVersion) == Self.offered.map(\.1.lowerBound))
    #expect(keys.map(\.maxVersion) == Self.offered.map(\.1.upperBound))
  }

  @Test func apiVersionsResponseHeaderHasNoTags() throws {
    let body = ResponseBody.apiVersions(.init())
    let frame = try Response(version: 3, correlationId: 1, body).encode().body()
    // Correlation id; then at once error, empty array, throttle time, and the body's tags.
    #expect(frame == [0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0])
  }

  @Test func encodingAnUnsupportedVersionIsRefused() {
    let request = Request(version: 13, correlationId: 1, clientId: nil, body: .fetch(.init()))
    #expect(throws: ProtocolError.unsupportedVersion(request.header, supported: 4...12)) {
      try request.encode()
    }
    #expect(throws: ProtocolError.self) {
      try Response(version: 10, correlationId: 1, .produce(.init())).encode()
    }
  }

  @Test func errorCodesHaveKafkasNamesAndNumbers() {
    let known: [(Int16, String)] = [
      (-1, "UNKNOWN_SERVER_ERROR"), (0, "NONE"), (1, "OFFSET_OUT_OF_RANGE"),
      (2, "CORRUPT_MESSAGE"), (3, "UNKNOWN_TOPIC_OR_PARTITION"), (6, "NOT_LEADER_OR_FOLLOWER"),
      (10, "MESSAGE_TOO_LARGE"), (15, "COORDINATOR_NOT_AVAILABLE"),
      (17, "INVALID_TOPIC_EXCEPTION"), (18, "RECORD_LIST_TOO_LARGE"),
      (21, "INVALID_REQUIRED_ACKS"), (35, "UNSUPPORTED_VERSION"), (36, "TOPIC_ALREADY_EXISTS"),
      (42, "INVALID_REQUEST"), (45, "OUT_OF_ORDER_SEQUENCE_NUMBER"),
      (46, "DUPLICATE_SEQUENCE_NUMBER"), (47, "INVALID_PRODUCER_EPOCH"),
      (53, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"), (56, "KAFKA_STORAGE_ERROR"),
      (59, "UNKNOWN_PRODUCER_ID"), (70, "FETCH_SESSION_ID_NOT_FOUND"),
      (74, "FENCED_LEADER_EPOCH"), (76, "UNSUPPORTED_COMPRESSION_TYPE"),
      (87, "INVALID_RECORD"), (90, "PRODUCER_FENCED"), (100, "UNKNOWN_TOPIC_ID"),
      (103, "INCONSISTENT_TOPIC_ID"), (110, "FENCED_MEMBER_EPOCH"),
      (114, "MISMATCHED_ENDPOINT_TYPE"), (120, "TRANSACTION_ABORTABLE"),
      (127, "VOTER_NOT_FOUND"),
    ]
    for (number, name) in known { #expect(ErrorCode(rawValue: number)?.name == name) }
    #expect(ErrorCode.allCases.map(\.rawValue) == Array(-1...127))
  }

  @Test func unknownErrorNumberReadsAsUnknownServerError() throws {
    let frame: [UInt8] = [0, 0, 0, 1, 0x27, 0x0f, 0, 0, 0, 3, 0, 0, 0, 0, 0x23, 0x84]
    let response = try Response.decode(frame, api: .findCoordinator, version: 0)
    let expected = FindCoordinatorResponse.with {
      $0.errorCode = .unknownServerError
      $0.nodeId = 3
      $0.port = 9092
    }
    #expect(response.body == .findCoordinator(expected))
  }
}
