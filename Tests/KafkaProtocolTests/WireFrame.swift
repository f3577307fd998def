import Foundation
import MkstoreProtocol
import Testing

/// A frame of a supported version, with what is needed to read it.
struct WireFrame: CustomTestStringConvertible, Sendable {
  let name: MessageName
  let bytes: [UInt8]
  var testDescription: String { "\(name), \(bytes.count) bytes" }

  /// What the frame, or a mutation of it, holds.
  struct Content: Equatable {
    let tree: JSONValue
    let encoded: EncodedFrame
    let source: [UInt8]
  }

  /// Reads `mutation` as this kind of message and writes it again.
  func content(
    of mutation: [UInt8], limits: ProtocolLimits = .standard
  ) throws(ProtocolError) -> Content {
    if name.isRequest {
      let request = try Request.decode(mutation, limits: limits)
      let tree = try TreeCoder.tree(request.body, request.header.name, mutation)
      return Content(tree: tree, encoded: try request.encode(), source: mutation)
    }
    guard let api = ApiKey(rawValue: name.apiKey) else { fatalError("\(name)") }
    let response = try Response.decode(mutation, api: api, version: name.version, limits: limits)
    let tree = try TreeCoder.tree(response.body, name, mutation)
    return Content(tree: tree, encoded: try response.encode(), source: mutation)
  }

  /// Every captured frame and every frame of the schema set that this package reads.
  static let all: [WireFrame] = captured + schema

  static let captured: [WireFrame] = FrameVectors.own.flatMap { exchange -> [WireFrame] in
    guard let request = try? exchange.request, let header = try? RequestHeader.decode(request),
      header.api?.support?.versions.contains(header.apiVersion) == true
    else { return [] }
    var name = header.name
    let asked = WireFrame(name: name, bytes: request)
    guard let response = try? exchange.response else { return [asked] }
    name.isRequest = false
    return [asked, WireFrame(name: name, bytes: response)]
  }

  static let schema: [WireFrame] = SchemaFrameTests.lines.compactMap { line in
    guard let json = try? JSONValue.parse(Data(line.text.utf8)),
      let key = json["apiKey"]?.number, let version = json["version"]?.number,
      let frame = Data(base64Encoded: json["frame"]?.string ?? "")
    else { return nil }
    let name = MessageName(
      apiKey: Int16(key), version: Int16(version), isRequest: json["kind"]?.string == "request")
    return WireFrame(name: name, bytes: [UInt8](frame))
  }
}

extension RequestHeader {
  var name: MessageName { MessageName(apiKey: apiKey, version: apiVersion, isRequest: true) }
}
