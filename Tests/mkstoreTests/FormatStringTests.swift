import Testing

@testable import mkstore

/// `fetch --format`.
struct FormatStringTests {
  @Test func tokensAreTakenApart() throws {
    #expect(
      try FormatString("%t [%p] %o: %k=%s\\n%%\\x00").parts == [
        .topic, .literal(Array(" [".utf8)), .partition, .literal(Array("] ".utf8)), .offset,
        .literal(Array(": ".utf8)), .key(.raw), .literal(Array("=".utf8)), .value(.raw),
        .literal([0x0A, 0x25, 0]),
      ])
    #expect(
      try FormatString("%S%R%K%T%h%T{rfc3339}").parts == [
        .valueLength, .valueLengthBinary, .keyLength, .timestamp, .headers, .timestampText,
      ])
  }

  @Test func stylesStandInBraces() throws {
    #expect(
      try FormatString("%k{json}%s{hex}%s{base64}").parts == [
        .key(.json), .value(.hex), .value(.base64),
      ])
    // A brace that is no style is text.
    #expect(try FormatString("%s{\"a\"}").parts == [.value(.raw), .literal(Array("{\"a\"}".utf8))])
    #expect(try FormatString("{%o}").parts == [.literal([0x7B]), .offset, .literal([0x7D])])
  }

  @Test(arguments: ["%", "%z", "%s{xml}", "%o{hex}", "%T{json}", "\\q", "\\x1", "\\xg0", "\\"])
  func otherTokensAreRefused(_ text: String) {
    #expect(throws: FormatString.Fault.self) { try FormatString(text) }
  }

  @Test func delimitersMayHoldEscapes() throws {
    #expect(try FormatString.unescaped("a\\t\\x1f\\\\n") == [0x61, 0x09, 0x1F, 0x5C, 0x6E])
  }
}
