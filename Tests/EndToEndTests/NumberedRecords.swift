import Foundation
import Testing

/// A log whose record at each offset is known, for finding lost, doubled or changed ones.
struct NumberedRecords {
  let seed: UInt64

  /// The value that belongs at an offset: its number, and bytes that depend on it.
  func value(_ offset: Int64) -> String {
    var state = seed ^ UInt64(bitPattern: offset) &* 0x9e37_79b9_7f4a_7c15
    state ^= state >> 29
    let length = Int(state % 300)
    return "record \(offset) " + String(repeating: Character("\(state % 10)"), count: length)
  }

  /// Writes the lines that belong at `offsets` to a file for `append`.
  func write(_ offsets: Range<Int64>, to path: String) throws {
    let text = offsets.map { value($0) + "\n" }.joined()
    try Data(text.utf8).write(to: URL(filePath: path))
  }

  /// Fetches a log from an offset to its end, comparing each record.
  ///
  /// - Returns: The offset behind the last one.
  func check(_ log: String, from start: Int64) throws -> Int64 {
    let outcome = try Command.run(
      "mkstore", ["fetch", log, "--offset", "\(start)", "--format", #"%o %s\n"#])
    #expect(outcome.status == 0, "\(outcome.messages)")
    var next = start
    for line in outcome.output.split(separator: "\n") {
      let expected = "\(next) \(value(next))"
      guard line == expected else {
        throw Command.Failure(description: "\(log) has '\(line)', expected '\(expected)'")
      }
      next += 1
    }
    return next
  }
}

/// The acknowledgements of an appending process.
struct Acknowledged {
  private(set) var endOffset: Int64
  private(set) var lineCount = 0

  init(from endOffset: Int64) { self.endOffset = endOffset }

  private struct Line: Decodable {
    var type: String
    var baseOffset: Int64
    var lastOffset: Int64
    var durable: Bool?
  }

  /// Takes one line of output in.
  mutating func note(_ line: String, isDurable: Bool = true) throws {
    let line = try JSONDecoder().decode(Line.self, from: Data(line.utf8))
    guard line.type == "ack" else { return }
    guard line.baseOffset == endOffset, line.lastOffset >= line.baseOffset,
      line.durable == isDurable
    else {
      throw Command.Failure(description: "acknowledged \(line) after offset \(endOffset)")
    }
    endOffset = line.lastOffset + 1
    lineCount += 1
  }
}
