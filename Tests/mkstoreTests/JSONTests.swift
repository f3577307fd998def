import Foundation
import RecordFormat
import StoreTesting
import Testing

@testable import mkstore

/// JSON, read and written.
struct JSONTests {
  private func scan(_ text: String) throws(InputFault) -> Range<Int> {
    let bytes = Array(text.utf8)
    var scanner = JSONScanner()
    let range = try scanner.value(bytes.span)
    guard scanner.peek(bytes.span) == nil else { throw scanner.unexpected("end", bytes.span) }
    return range
  }

  @Test(arguments: [
    "0", "-0", "10.5", "1e5", "1E+5", "-1.25e-7", "true", "false", "null", "\"\"", "\"a\\\"b\"",
    "\"\\u00e9\\n\"", "[]", "[1,[2,[]],{}]", "{}", "{\"a\":{\"b\":[1, 2 ,3]} , \"c\":null}",
    " \t\r\n 1 ", "\"é\"", "\"\u{7F}\"",
  ])
  func validJSONIsRead(_ text: String) throws {
    let range = try scan(text)
    let exact = String(decoding: Array(text.utf8)[range], as: UTF8.self)
    #expect(exact == text.trimmingCharacters(in: .whitespacesAndNewlines))
    // An independent judge.
    _ = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
  }

  @Test(arguments: [
    "", " ", "01", "-", "1.", ".5", "1e", "+1", "tru", "nul", "\"", "\"a", "\"\\", "\"\\x\"",
    "\"\\u12g4\"", "\"\\u123", "\"\t\"", "\"\n\"", "[", "[1", "[1,]", "[,1]", "[1 2]", "{",
    "{\"a\"}",
    "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}", "1 2", "]", "\u{FEFF}1", "NaN", "Infinity", "0x1",
  ])
  func otherTextIsRefused(_ text: String) {
    #expect(throws: InputFault.self) { try scan(text) }
  }

  @Test func nestingIsBounded() throws {
    let deepest = JSONScanner.depthMax
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(throws: Never.self) { try scan(nested(deepest - 1)) }
    #expect(throws: Never.self) { try scan(nested(deepest)) }
    #expect(throws: InputFault.self) { try scan(nested(deepest + 1)) }
    #expect(throws: InputFault.self) { try scan(String(repeating: "[", count: 1_000_000)) }
  }

  /// Any bytes: what is written is JSON, and says what Swift's own repair of UTF-8 says.
  @Test func anyBytesAreWrittenAsJSON() throws {
    let seed = Seed.fromEnvironment()
    var generator = seed.generator
    for _ in 0..<300 {
      let count = Int.random(in: 0...24, using: &generator)
      let bytes = (0..<count).map { _ -> UInt8 in
        // Lead and continuation bytes are where the rules are.
        let choices: [ClosedRange<UInt8>] = [0...0x7F, 0x80...0xBF, 0xC0...0xFF, 0...0xFF]
        return .random(in: choices.randomElement(using: &generator)!, using: &generator)
      }
      var isText = false
      let text = try written { out in isText = out.write(jsonString: bytes.span) }
      let read = try JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)
      #expect(read as? String == String(decoding: bytes, as: UTF8.self), "SEED=\(seed) \(bytes)")
      #expect(isText == (String(validating: bytes, as: UTF8.self) != nil), "SEED=\(seed) \(bytes)")
    }
  }

  @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")])
  func base64IsAsInTheRFC(_ text: String, _ encoded: String) throws {
    #expect(try writtenText { $0.write(base64: Array(text.utf8).span) } == encoded)
    #expect(try decoded(encoded, .base64) == Array(text.utf8))
  }

  @Test func everyByteSurvivesEachEncoding() throws {
    let bytes = (0...255).map { UInt8($0) }
    for (encoding, count) in [(ByteEncoding.hex, 512), (.base64, 344)] {
      let text = try writtenText { out in _ = out.write(json: bytes.span, as: encoding) }
      #expect(text.utf8.count == count + 2)
      #expect(try decoded(String(text.dropFirst().dropLast()), encoding) == bytes)
    }
    #expect(try decoded("00FfaB", .hex) == [0, 255, 0xAB])
  }

  @Test(arguments: [
    ("0", ByteEncoding.hex), ("0g", .hex), ("Zg=", .base64), ("Zg", .base64), ("Z===", .base64),
    ("Zh==", .base64), ("Zm9=", .base64), ("Zm-v", .base64), ("=Zm9", .base64),
  ])
  func otherDigitsAreRefused(_ text: String, _ encoding: ByteEncoding) {
    #expect(throws: InputFault.self) { try decoded(text, encoding) }
  }

  private func decoded(_ text: String, _ encoding: ByteEncoding) throws -> [UInt8] {
    let line = Array(text.utf8)
    var scratch = ByteScratch()
    let range = try scratch.append(
      JSONScanner.Text(range: 0..<line.count, hasEscapes: false), of: line.span, as: encoding)
    let span = scratch.bytes(range)
    return span.indices.map { span[$0] }
  }

  @Test func numbersAreWrittenAsTheyAre() throws {
    for value in [0, 1, -1, 9, 10, 99, 1_234_567_890, Int64.max, Int64.min] {
      #expect(try writtenText { $0.write(decimal: value) } == "\(value)")
    }
  }

  @Test func muchMoreThanTheBufferIsWrittenInOrder() throws {
    let large = (0..<(OutputBuffer.capacity * 2 + 17)).map { UInt8(truncatingIfNeeded: $0 / 251) }
    let bytes = try written { out in
      out.write("first")
      out.write(large)
      out.write("last")
    }
    #expect(bytes == Array("first".utf8) + large + Array("last".utf8))
  }
}
