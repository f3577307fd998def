import MkstoreProtocol
import Testing

/// Frames of real clients and of Kafka 3.9.0.
@Suite struct CapturedFrameTests {
  @Test func vectorsAreThere() {
    #expect(FrameVectors.own.count >= 50)
  }

  @Test(arguments: FrameVectors.all)
  func headerOfAnyRequestReads(_ exchange: FrameVectors.Exchange) throws {
    let json = try exchange.json
    let header = try RequestHeader.decode(try exchange.request)
    #expect(Int64(header.apiKey) == json["apiKey"]?.number)
    #expect(Int64(header.apiVersion) == json["version"]?.number)
    #expect(Int64(header.correlationId) == json["correlationId"]?.number)
    #expect(header.clientId == json["clientId"]?.string)
    #expect(header.apiName == json["api"]?.string)
    if header.api?.support != nil {
      #expect(Int64(header.headerVersion) == json["requestHeaderVersion"]?.number)
    }
  }

  @Test(arguments: FrameVectors.all)
  func requestReadsAndIsWrittenBackTheSame(_ exchange: FrameVectors.Exchange) throws {
    let frame = try exchange.request
    let json = try exchange.json
    let header = try RequestHeader.decode(frame)
    guard let support = header.api?.support else {
      #expect(throws: ProtocolError.unsupportedApi(header)) { try Request.decode(frame) }
      return
    }
    guard support.versions.contains(header.apiVersion) else {
      #expect(throws: ProtocolError.unsupportedVersion(header, supported: support.versions)) {
        try Request.decode(frame)
      }
      return
    }
    let request = try Request.decode(frame)
    #expect(request.header == header)
    #expect(request.body.api == header.api)
    let name = MessageName(
      apiKey: header.apiKey, version: header.apiVersion, isRequest: true)
    let found = try TreeCoder.tree(request.body, name, frame)
    #expect(found.differences(from: try #require(json["request"])) == [])
    #expect(try request.encode().body(from: frame) == frame)
  }

  @Test(arguments: FrameVectors.all.filter(\.isAnswered))
  func responseReadsAndIsWrittenBackTheSame(_ exchange: FrameVectors.Exchange) throws {
    let frame = try exchange.response
    let json = try exchange.json
    let header = try RequestHeader.decode(try exchange.request)
    let api = try #require(header.api)
    guard api.support?.versions.contains(header.apiVersion) == true else {
      #expect(throws: ProtocolError.self) {
        try Response.decode(frame, api: api, version: header.apiVersion)
      }
      return
    }
    #expect(try Response.correlationId(of: frame) == header.correlationId)
    let response = try Response.decode(frame, api: api, version: header.apiVersion)
    #expect(response.correlationId == header.correlationId)
    let name = MessageName(
      apiKey: header.apiKey, version: header.apiVersion, isRequest: false)
    let found = try TreeCoder.tree(response.body, name, frame)
    #expect(found.differences(from: try #require(json["response"])) == [])
    let encoded = try response.encode()
    #expect(encoded.body(from: frame) == frame)
    #expect(encoded.byteCount == frame.count + FrameSize.byteCount)
  }

  @Test func librdkafkasStrayBytesAreKeptButIgnored() throws {
    let exchange = FrameVectors.Exchange(
      path: FrameVectors.fixtures + "/Metadata-v12-confluent-trailing-bytes")
    let frame = try exchange.request
    let request = try Request.decode(frame)
    #expect(request.trailing == ByteRange(offset: frame.count - 3, count: 3))
    guard case .metadata(let metadata) = request.body else {
      Issue.record("\(request.body) is not Metadata")
      return
    }
    #expect(metadata.isForAllTopics(version: 12))
    #expect(!metadata.allowAutoTopicCreation)
  }
}
