import Foundation
import Testing

@testable import mkstore

/// What is appended comes back, byte for byte, from the built command.
struct RoundTripTests {
  private let directory: TemporaryDirectory
  private var log: String { directory.path("store/flights-0") }

  init() throws { directory = try TemporaryDirectory() }

  private func append(_ arguments: [String], input: Data = Data()) throws -> Tool.Outcome {
    let outcome = try Tool.run(["append", log, "--create"] + arguments, input: input)
    #expect(outcome.status == 0, "\(outcome.messages)")
    return outcome
  }

  private func fetch(_ arguments: [String]) throws -> Data {
    let outcome = try Tool.run(["fetch", log] + arguments)
    #expect(outcome.status == 0, "\(outcome.messages)")
    return outcome.output
  }

  // MARK: Times

  /// Every time that 64 bits hold, -1 (no time) included; the year 1 is what .NET clients send for
  /// no time (`DateTime.MinValue`). Neighbours are farther apart than one batch can hold.
  static let boundaryTimes: [Int64] = [
    0, -1, -2, 1, -62_135_596_800_000, -62_167_219_200_000, -62_167_219_200_001,
    253_402_300_799_999, 253_402_300_800_000, .min, .max, .min + 1, .max - 1, -1, .min,
  ]

  @Test(arguments: ["none", "zstd"]) func everyTimeComesBack(_ compression: String) throws {
    let lines = Self.boundaryTimes.map { "{\"value\":\"v\",\"timestamp\":\($0)}\n" }
    _ = try append(
      ["--input", "ndjson", "--compression", compression], input: Data(lines.joined().utf8))
    let expected = Self.boundaryTimes.map { "\($0)\n" }.joined()
    #expect(try fetch(["--format", #"%T\n"#]) == Data(expected.utf8))
    let printed = try fetch(["--output", "ndjson"])
    let copy = directory.path("copy/flights-0")
    let copied = try Tool.run(["append", copy, "--create", "--input", "ndjson"], input: printed)
    #expect(copied.status == 0, "\(copied.messages)")
    #expect(try Tool.run(["fetch", copy, "--output", "ndjson"]).output == printed)
    let verified = try Tool.run(["verify", copy])
    #expect(verified.status == 0, "\(verified.text)")
    #expect(verified.lines.count == 1, "\(verified.text)")
  }

  @Test func timesBefore1970AreReadAsTextAndFound() throws {
    let texts = [
      "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.998Z", "1970-01-01",
    ]
    let lines = texts.map { "{\"value\":\"\($0)\",\"timestamp\":\"\($0)\"}\n" }.joined()
    _ = try append(["--input", "ndjson", "--batch-records", "1"], input: Data(lines.utf8))
    #expect(
      try fetch(["--format", #"%T\n"#])
        == Data("-62167219200000\n-62135596800000\n-2\n0\n".utf8))
    for (index, text) in texts.enumerated() {
      let found = try fetch(["--from", text, "--max-records", "1"])
      #expect(found == Data("\(texts[index])\n".utf8))
    }
  }

  // MARK: Flights

  @Test(arguments: ["none", "zstd", "zstd:19", "zstd:-5"], ["1G", "32k"])
  func flightsComeBack(_ compression: String, _ segmentBytes: String) throws {
    let outcome = try append([
      "--input", "ndjson", "--compression", compression, "--segment-bytes", segmentBytes,
      "--batch-bytes", "16k", "--json", TestData.flights,
    ])
    let sum = try #require(try outcome.objects.last)
    #expect(sum["type"] as? String == "appended")
    #expect(sum["records"] as? Int == 1924)
    #expect(sum["baseOffset"] as? Int == 0)
    #expect(sum["lastOffset"] as? Int == 1923)
    #expect(sum["durable"] as? Bool == true)
    let plain = try #require(sum["plainBytes"] as? Int)
    let stored = try #require(sum["storedBytes"] as? Int)
    #expect(compression == "none" ? stored == plain : stored < plain * 2 / 3)
    #expect(
      try fetch(["--format", TestData.flightsFormat]) == TestData.content(TestData.flights))
    let verified = try Tool.run(["verify", log])
    let segments = TestData.names(in: log).count { $0.hasSuffix(".log") }
    #expect(segments > (segmentBytes == "1G" ? 0 : 1))
    #expect(verified.text == "ok: 1924 records, \(segments) segments, no damage\n")
    #expect(verified.status == 0)
  }

  @Test func everyOffsetIsFoundAndSoAreTheLast() throws {
    _ = try append([
      "--input", "ndjson", "--segment-bytes", "64k", "--batch-bytes", "8k",
      "--index-interval-bytes", "0", TestData.flights,
    ])
    let lines = try TestData.lines(TestData.flights)
    for offset in [0, 1, 63, 500, 999, 1922, 1923] {
      let one = try fetch([
        "--offset", "\(offset)", "--max-records", "1", "--format", "%o " + TestData.flightsFormat,
      ])
      #expect(String(decoding: one, as: UTF8.self) == "\(offset) \(lines[offset])\n")
    }
    let last = try fetch(["--offset", "-3", "--format", TestData.flightsFormat])
    #expect(last == Data((lines.suffix(3).joined(separator: "\n") + "\n").utf8))
    #expect(try fetch(["--offset", "end"]).isEmpty)
    #expect(try Tool.run(["fetch", log, "--offset", "1925"]).status == 1)
  }

  @Test(arguments: [
    ("2013-01-01T12:00:00Z", "2013-01-01T13:00:00Z"), ("1357100000000", "1357140000000"),
    ("2013-01-03", "2013-01-04"), ("1970-01-01", "2000-01-01"), ("2013-01-02T00:00:00-05:00", nil),
  ])
  func recordsOfATimeAreFound(_ from: String, _ to: String?) throws {
    _ = try append([
      "--input", "ndjson", "--segment-bytes", "64k", "--batch-bytes", "8k", TestData.flights,
    ])
    // Computed without the code under test.
    let (first, end) = (try milliseconds(from), try to.map(milliseconds) ?? Int64.max)
    let expected = try TestData.lines(TestData.flights).filter { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      let time = try #require(object?["timestamp"] as? Int64)
      return first <= time && time < end
    }
    let arguments = ["--from", from] + (to.map { ["--to", $0] } ?? [])
    let found = try fetch(arguments + ["--format", TestData.flightsFormat])
    #expect(String(decoding: found, as: UTF8.self) == expected.map { $0 + "\n" }.joined())
  }

  private func milliseconds(_ text: String) throws -> Int64 {
    if let number = Int64(text) { return number }
    let formatter = ISO8601DateFormatter()
    formatter.formatOptions =
      text.contains("T") ? [.withInternetDateTime] : [.withFullDate]
    return Int64(try #require(formatter.date(from: text)).timeIntervalSince1970) * 1000
  }

  @Test(.enabled(if: TestData.manyFlights != nil, "the shared collection is not here"))
  func manyFlightsComeBackAcrossManySegments() throws {
    let file = try #require(TestData.manyFlights)
    for (compression, segmentBytes) in [("none", "256k"), ("zstd", "64k")] {
      let log = directory.path("store/\(compression)-0")
      let outcome = try Tool.run([
        "append", log, "--create", "--input", "ndjson", "--compression", compression,
        "--segment-bytes", segmentBytes, file,
      ])
      #expect(outcome.status == 0, "\(outcome.messages)")
      #expect(TestData.names(in: log).count { $0.hasSuffix(".log") } > 20)
      let fetched = try Tool.run(["fetch", log, "--format", TestData.flightsFormat])
      #expect(fetched.output == (try TestData.content(file)))
      let from = try Tool.run([
        "fetch", log, "--from", "2013-02-01T00:00:00Z", "--to", "2013-02-01T06:00:00Z",
        "--format", "%T\\n",
      ])
      let expected = try TestData.lines(file).compactMap { line -> String? in
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        let time = try #require(object?["timestamp"] as? Int64)
        return 1_359_676_800_000..<1_359_698_400_000 ~= time ? "\(time)" : nil
      }
      #expect(from.lines == expected)
      #expect(expected.count > 100)
    }
  }

  // MARK: Other layouts

  @Test func linesComeBackAsTheyAre() throws {
    // A carriage return, an empty line, bytes that are no text, and no line feed at the end.
    let input = Data(Array("a\r\n\nb c\n".utf8) + [0xFF, 0x00, 0x0A] + Array("last".utf8))
    let outcome = try append([], input: input)
    #expect(outcome.text.contains("appended 5 records"))
    #expect(try fetch([]) == input + Data([0x0A]))
    #expect(try fetch(["--output", "raw"]) == Data(input.filter { $0 != 0x0A }))
    #expect(try fetch(["--format", "%S,"]) == Data("2,0,3,2,4,".utf8))
  }

  @Test func keysStandBeforeTheDelimiter() throws {
    _ = try append(["--key-delimiter", "\\x1f"], input: Data("k\u{1F}v\u{1F}w\n\u{1F}\n".utf8))
    #expect(try fetch(["--key-delimiter", "|"]) == Data("k|v\u{1F}w\n|\n".utf8))
  }

  @Test func binaryComesBackAsItIs() throws {
    let records: [(String?, String?)] = [
      ("k", "v"), (nil, nil), ("", ""), (nil, "\n\n"), ("key", nil),
      (nil, String(repeating: "x", count: 300_000)),
    ]
    var input = Data()
    for (key, value) in records {
      for part in [key, value] {
        let length = Int32(part?.utf8.count ?? -1)
        input += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) }
        input += (part ?? "").utf8
      }
    }
    _ = try append(["--input", "binary"], input: input)
    #expect(try fetch(["--output", "binary"]) == input)
    #expect(
      try fetch(["--max-records", "5", "--format", "%K %S %k|%s;", "--null", "NULL"])
        == Data("1 1 k|v;-1 -1 NULL|NULL;0 0 |;-1 2 NULL|\n\n;3 -1 key|NULL;".utf8))
  }

  @Test(arguments: ["utf8", "hex", "base64"])
  func ndjsonComesBackThroughASecondLog(_ encoding: String) throws {
    let source = TestData.kafka("log-append-time")
    let arguments = ["--output", "ndjson", "--encoding", encoding]
    let first = try Tool.run(["fetch", source] + arguments)
    let copied = try append(
      ["--input", "ndjson", "--encoding", encoding], input: first.output)
    #expect(copied.text.contains("appended 400 records"))
    let second = try fetch(arguments)
    // Who said the time is the one thing that a copy does not keep.
    let expected = first.text.replacingOccurrences(of: "LogAppendTime", with: "CreateTime")
    if encoding == "utf8" {
      // A header's value in this data is no text, which is said, and which names the remedy.
      #expect(first.messages.contains("--encoding hex or base64"))
    } else {
      #expect(first.messages.isEmpty)
    }
    #expect(String(decoding: second, as: UTF8.self) == expected)
  }

  @Test func hexShowsEveryByte() throws {
    _ = try append(
      ["--input", "ndjson"], input: Data(#"{"timestamp":5,"value":"é\n"}"#.utf8))
    #expect(try fetch(["--output", "hex"]) == Data("0\t5\tnull\tc3a90a\n".utf8))
  }

  @Test func formatsKnowEveryToken() throws {
    let record =
      #"{"key":"k","value":"v\"","timestamp":1357034400123,"headers":[["a","1"],["b",null]]}"#
    _ = try append(["--input", "ndjson"], input: Data(record.utf8))
    #expect(
      try fetch([
        "--format", "%t/%p/%o %k(%K) %s(%S) %T %T{rfc3339} %h %s{json} %k{hex} %s{base64} %%\\t|",
      ])
        == Data(
          ("flights/0/0 k(1) v\"(2) 1357034400123 2013-01-01T10:00:00.123Z a=1,b=NULL \"v\\\"\" 6b "
            + "diI= %\t|").utf8))
    #expect(try fetch(["--format", "%R"]) == Data([0, 0, 0, 2]))
  }

  @Test func limitsEndTheOutput() throws {
    _ = try append([], input: Data("aa\nbb\ncc\n".utf8))
    #expect(try fetch(["--max-records", "2"]) == Data("aa\nbb\n".utf8))
    #expect(try fetch(["--max-bytes", "3"]) == Data("aa\nbb\n".utf8))
    #expect(try fetch(["--max-bytes", "1"]) == Data("aa\n".utf8))
    #expect(try fetch(["--exit-at-end"]) == Data("aa\nbb\ncc\n".utf8))
  }

  @Test func batchesAreCutAsAsked() throws {
    let outcome = try append(
      ["--batch-records", "2", "--json", "--acks"], input: Data("1\n2\n3\n4\n5\n".utf8))
    let objects = try outcome.objects
    #expect(objects.compactMap { $0["type"] as? String } == ["ack", "ack", "ack", "appended"])
    #expect(objects.prefix(3).map { $0["baseOffset"] as? Int } == [0, 2, 4])
    #expect(objects.prefix(3).map { $0["durable"] as? Bool } == [true, true, true])
    #expect(objects[3]["batches"] as? Int == 3)
  }

  @Test func appendsGoOnWhereTheLastEnded() throws {
    _ = try append([], input: Data("a\n".utf8))
    let second = try append(["--compression", "zstd"], input: Data("b\nc\n".utf8))
    #expect(second.text.contains("offsets 1 to 2"))
    #expect(try fetch(["--format", "%o%s "]) == Data("0a 1b 2c ".utf8))
  }
}
