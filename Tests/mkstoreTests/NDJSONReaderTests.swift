import RecordFormat
import Testing

@testable import mkstore

/// Records of `append --input ndjson`.
struct NDJSONReaderTests {
  private struct Read: Equatable {
    var timestamp: Int64?
    var key: String?
    var value: String?
    var headers: [RecordHeader]
  }

  private func read(_ line: String, _ encoding: ByteEncoding = .utf8) throws -> Read? {
    let bytes = Array(line.utf8)
    var reader = NDJSONReader(encoding)
    guard let record = try reader.read(bytes.span) else { return nil }
    return Read(
      timestamp: record.timestamp, key: text(reader.bytes(record.key)),
      value: text(reader.bytes(record.value)), headers: record.headers)
  }

  private func text(_ bytes: Span<UInt8>?) -> String? {
    guard let bytes else { return nil }
    return String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
  }

  @Test func fieldsAreReadInAnyOrder() throws {
    let record = try read(
      #"{"value":"v","timestamp":12,"headers":[["a","1"],["a",null],["","x"]],"key":"k"}"#)
    #expect(record?.timestamp == 12)
    #expect(record?.key == "k")
    #expect(record?.value == "v")
    #expect(
      record?.headers == [
        RecordHeader(name: "a", value: [0x31]), RecordHeader(name: "a", value: nil),
        RecordHeader(name: "", value: [0x78]),
      ])
  }

  @Test func whatIsMissingOrNullIsNull() throws {
    #expect(try read("{}") == Read(timestamp: nil, key: nil, value: nil, headers: []))
    #expect(
      try read(#"{"key":null,"value":null,"headers":null,"timestamp":null}"#)
        == Read(timestamp: nil, key: nil, value: nil, headers: []))
    #expect(try read("  ") == nil)
  }

  @Test(arguments: [
    "{ \"a\" : [1 , 2.50, 1E3] }", "12345678901234567890", "[]", "true", "-0.0",
    "{\"k\":\"\\u00e9\"}",
  ])
  func whatIsNoStringIsTakenAsItStands(_ value: String) throws {
    #expect(try read("{\"key\": \(value) ,\"value\":  \(value)  }")?.value == value)
    #expect(try read("{\"key\": \(value) ,\"value\":1}")?.key == value)
    #expect(try read("{\"value\":\(value)}", .hex)?.value == value)
  }

  @Test func escapesStandForTheirCharacters() throws {
    #expect(
      try read(#"{"value":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\u0000x"}"#)?.value
        == "\"\\/\u{8}\u{C}\n\r\té😀\0x")
    #expect(try read(#"{"\u006bey":"k"}"#)?.key == "k")
  }

  @Test func timesMayBeRFC3339() throws {
    #expect(
      try read(#"{"timestamp":"2013-01-01T10:00:00Z"}"#)?.timestamp == 1_357_034_400_000)
    #expect(try read(#"{"timestamp":-1}"#)?.timestamp == -1)
    #expect(try read(#"{"timestamp":-2}"#)?.timestamp == -2)
    #expect(try read(#"{"timestamp":-9223372036854775808}"#)?.timestamp == .min)
    #expect(try read(#"{"timestamp":9223372036854775807}"#)?.timestamp == .max)
    #expect(
      try read(#"{"timestamp":"0001-01-01T00:00:00Z"}"#)?.timestamp == -62_135_596_800_000)
  }

  @Test func headersMayBeAnObject() throws {
    #expect(
      try read(#"{"headers":{"a":"1","b":null,"c":[2]}}"#)?.headers == [
        RecordHeader(name: "a", value: [0x31]), RecordHeader(name: "b", value: nil),
        RecordHeader(name: "c", value: Array("[2]".utf8)),
      ])
  }

  @Test func stringsAreDecodedAsAsked() throws {
    #expect(try read(#"{"key":"6b","value":"76","headers":[["6e","78"]]}"#, .hex)?.key == "k")
    #expect(
      try read(#"{"headers":[["6e","78"]]}"#, .hex)?.headers
        == [RecordHeader(name: "n", value: [0x78])])
    #expect(try read(#"{"value":"Zm9v"}"#, .base64)?.value == "foo")
  }

  @Test func whatFetchAddsIsPassedOver() throws {
    let line =
      #"{"schema":1,"type":"record","offset":5,"timestamp":7,"timestampType":"CreateTime","#
      + #""key":null,"value":"v","headers":[]}"#
    #expect(try read(line) == Read(timestamp: 7, key: nil, value: "v", headers: []))
  }

  /// Line, position of the fault, and a word of its text.
  @Test(arguments: [
    ("[1]", 0, "an object"), ("{\"a\":1}", 2, "unknown field \"a\""), ("{\"key\":1,}", 9, "name"),
    ("{\"key\":1,\"key\":2}", 10, "twice"), ("{\"key\" 1}", 7, "':'"), ("{\"key\":1", 8, "ends"),
    ("{\"key\":1} x", 10, "end of the line"), ("{\"timestamp\":1.5}", 13, "not a timestamp"),
    ("{\"timestamp\":9223372036854775808}", 13, "not a timestamp"),
    ("{\"timestamp\":-9223372036854775809}", 13, "not a timestamp"),
    ("{\"timestamp\":\"-\"}", 13, "not a timestamp"),
    ("{\"timestamp\":\"x\"}", 13, "not a timestamp"),
    ("{\"headers\":[1]}", 12, "pair"), ("{\"headers\":[[\"a\"]]}", 16, "','"),
    ("{\"headers\":3}", 11, "list"), ("{\"value\":\"\\ud800\"}", 10, "surrogate"),
    ("{\"value\":\"\\udc00x\"}", 10, "surrogate"), ("{\"type\":\"damage\"}", 8, "not a record"),
    ("{\"control\":{\"type\":\"COMMIT\"}}", 11, "control"),
  ])
  func faultsTellWhere(_ line: String, _ position: Int, _ text: String) throws {
    do {
      _ = try read(line)
      Issue.record("\(line) was read")
    } catch let fault as InputFault {
      #expect(fault.position == position, "\(fault)")
      #expect(fault.text.contains(text), "\(fault)")
    }
  }

  @Test func bytesThatAreNoTextAreRefused() throws {
    let line = Array("{\"value\":\"".utf8) + [0xFF] + Array("\"}".utf8)
    var reader = NDJSONReader(.utf8)
    do {
      _ = try reader.read(line.span)
      Issue.record("was read")
    } catch {
      #expect(error.position == 10)
      #expect(error.text.contains("UTF-8"))
    }
  }
}
