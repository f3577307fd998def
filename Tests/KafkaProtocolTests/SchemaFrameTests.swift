import Foundation
import MkstoreProtocol
import Testing

/// Frames of every version, made by kafka-python from Kafka's message definitions.
@Suite struct SchemaFrameTests {
  struct Line: CustomTestStringConvertible, Sendable {
    let text: String
    var testDescription: String { String(text.prefix(90)) }
  }

  static let lines: [Line] = {
    let data = try? FrameVectors.data(FrameVectors.fixtures + "/schema-frames.jsonl")
    let text = String(decoding: data ?? Data(), as: UTF8.self)
    return text.split(separator: "\n").map { Line(text: String($0)) }
  }()

  @Test func everyVersionOfEveryApiIsThere() throws {
    var found: Set<String> = []
    for line in Self.lines {
      let json = try JSONValue.parse(Data(line.text.utf8))
      let name = try #require(json["api"]?.string)
      found.insert("\(name) \(json["version"]?.number ?? -1) \(json["kind"]?.string ?? "")")
    }
    for api in ApiKey.supported {
      for version in try #require(api.support).versions {
        #expect(found.contains("\(api.name) \(version) request"))
        #expect(found.contains("\(api.name) \(version) response"))
      }
    }
  }

  @Test(arguments: lines)
  func frameReadsAndIsWrittenBackTheSame(_ line: Line) throws {
    let json = try JSONValue.parse(Data(line.text.utf8))
    let frame = [UInt8](try #require(Data(base64Encoded: json["frame"]?.string ?? "")))
    let api = try #require(ApiKey(rawValue: Int16(json["apiKey"]?.number ?? -1)))
    let version = Int16(try #require(json["version"]?.number))
    let expected = try #require(json["body"])
    let encoded: EncodedFrame
    let found: JSONValue
    if json["kind"]?.string == "request" {
      let request = try Request.decode(frame)
      #expect(request.header.clientId == json["clientId"]?.string)
      #expect(Int64(request.header.correlationId) == json["correlationId"]?.number)
      #expect(request.trailing == nil)
      let name = MessageName(apiKey: api.rawValue, version: version, isRequest: true)
      found = try TreeCoder.tree(request.body, name, frame)
      encoded = try request.encode()
    } else {
      let response = try Response.decode(frame, api: api, version: version)
      #expect(Int64(response.correlationId) == json["correlationId"]?.number)
      let name = MessageName(apiKey: api.rawValue, version: version, isRequest: false)
      found = try TreeCoder.tree(response.body, name, frame)
      encoded = try response.encode()
    }
    #expect(found.differences(from: expected) == [])
    #expect(encoded.body(from: frame) == frame)
    #expect(try FrameSize.read(encoded.bytes) == frame.count)
  }
}
