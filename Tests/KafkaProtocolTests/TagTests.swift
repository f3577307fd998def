import MkstoreProtocol
import Testing

/// Tagged fields that a newer peer sends survive reading and writing.
@Suite struct TagTests {
  @Test func unknownTagsOfHeaderStructureAndMessageAreKeptInPlace() throws {
    // DescribeCluster v1 by a client from the future.
    let frame: [UInt8] = [
      0, 60, 0, 1, 0, 0, 0, 5, 0, 1, 0x63,
      2, 0, 1, 0xaa, 0x90, 0x01, 2, 0xbb, 0xcc,
      1, 2,
      1, 3, 0,
    ]
    let request = try Request.decode(frame)
    #expect(
      request.header.tags == [
        TaggedField(tag: 0, bytes: [0xaa]), TaggedField(tag: 144, bytes: [0xbb, 0xcc]),
      ])
    guard case .describeCluster(let body) = request.body else {
      Issue.record("\(request.body)")
      return
    }
    #expect(body.tags == [TaggedField(tag: 3, bytes: [])])
    #expect(body.includeClusterAuthorizedOperations)
    #expect(body.endpointType == 2)
    #expect(try request.encode().body() == frame)
  }

  @Test func unknownTagsStandAmongKnownOnesInOrder() throws {
    // An ApiVersions v3 response with tags 0 (known), 1 (known), 2 (known, empty), 3, 4 and 9.
    let frame: [UInt8] = [
      0, 0, 0, 7, 0, 0, 1, 0, 0, 0, 0,
      5,
      1, 8, 0, 0, 0, 0, 0, 0, 0, 9,
      2, 10, 2, 2, 0x66, 0, 2, 0, 1, 1, 8, 0,
      3, 1, 1,
      4, 2, 0xde, 0xad,
      9, 0,
    ]
    let response = try Response.decode(frame, api: .apiVersions, version: 3)
    guard case .apiVersions(let body) = response.body else {
      Issue.record("\(response.body)")
      return
    }
    #expect(body.finalizedFeaturesEpoch == 9)
    #expect(body.finalizedFeatures.map(\.name) == ["f"])
    #expect(body.finalizedFeatures.first?.tags == [TaggedField(tag: 8, bytes: [])])
    #expect(body.zkMigrationReady)
    #expect(body.tags.map(\.tag) == [4, 9])
    #expect(try response.encode().body() == frame)
  }

  @Test func unknownTagBelowAKnownOneIsWrittenBeforeIt() throws {
    // A Fetch v12 partition's tags 0 to 2 are known; a request's tag 0 is, 1 is not.
    var body = FetchRequest()
    body.clusterId = "c"
    body.tags = [TaggedField(tag: 1, bytes: [1]), TaggedField(tag: 5, bytes: [2])]
    let frame = try Request(
      version: 12, correlationId: 1, clientId: nil, body: .fetch(body)
    ).encode().body()
    #expect(frame.suffix(11) == [1, 3, 0, 2, 2, 0x63, 1, 1, 1, 5, 1, 2].suffix(11))
    #expect(try Request.decode(frame).body == .fetch(body))

    var response = ApiVersionsResponse()
    response.zkMigrationReady = true
    response.tags = [TaggedField(tag: 0, bytes: [0]), TaggedField(tag: 2, bytes: [0])]
    let written = try Response(version: 3, correlationId: 1, .apiVersions(response)).encode().body()
    #expect(written.suffix(10) == [3, 0, 1, 0, 2, 1, 0, 3, 1, 1])
  }

  @Test func versionsWithoutTagsDropThem() throws {
    var body = FindCoordinatorRequest()
    body.key = "g"
    body.tags = [TaggedField(tag: 1, bytes: [1])]
    let frame = try Request(
      version: 1, correlationId: 1, clientId: nil, body: .findCoordinator(body)
    ).encode().body()
    #expect(frame == [0, 10, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0, 1, 0x67, 0])
  }
}
