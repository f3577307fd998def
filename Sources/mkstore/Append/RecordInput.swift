import LogStore
import MkstoreBytes
import RecordFormat

/// Reads the records of consecutive inputs and passes each to the appender.
///
/// Errors name the input and the position in it. Owned by one thread.
struct RecordInput: ~Copyable {
  private let format: InputFormat
  private let keyDelimiter: [UInt8]?
  private var json: NDJSONReader
  private var buffer: InputBuffer
  /// Lines (for binary: records) read from the input, including the current one.
  private var lineNumber = 0
  /// Time of records without their own: when their bytes were read.
  private var nowMs = WallClock.nowMs()
  private var recordsSinceClock = 0

  /// The result of a step.
  enum Step {
    /// A record was passed on.
    case record
    /// Nothing arrived before the open batch had waited long enough.
    case lingered
    /// The input has ended.
    case end
  }

  /// Opens `path`, `-` for standard input.
  init(
    path: String, format: InputFormat, keyDelimiter: [UInt8]?, encoding: ByteEncoding
  ) throws(CommandFailure) {
    self.format = format
    self.keyDelimiter = keyDelimiter
    json = NDJSONReader(encoding)
    buffer = try InputBuffer(path: path)
  }

  /// Bytes of the input so far, and in total if known.
  var progress: (done: Int, total: Int?) { (buffer.consumed, buffer.size) }

  /// Reads one record and adds it.
  mutating func step(_ appender: inout BatchAppender) throws(CommandFailure) -> Step {
    switch format {
    case .lines: try stepLine(&appender)
    case .ndjson: try stepObject(&appender)
    case .binary: try stepBinary(&appender)
    }
  }

  // MARK: Lines

  private mutating func stepLine(_ appender: inout BatchAppender) throws(CommandFailure) -> Step {
    let range: Range<Int>
    switch try buffer.nextLine(timeoutMs: appender.lingerLeftMs) {
    case .end: return .end
    case .timedOut: return .lingered
    case .bytes(let found): range = found
    }
    lineNumber += 1
    tick()
    let line = buffer.bytes(range)
    guard let keyDelimiter else {
      try add(nil, line, [], nowMs, to: &appender)
      return .record
    }
    guard let position = RecordInput.position(of: keyDelimiter, in: line) else {
      throw fault(
        InputFault(
          0,
          "no key delimiter in the line; each line must be KEY, delimiter, VALUE "
            + "(--key-delimiter)"))
    }
    let key = line.extracting(..<position)
    let value = line.extracting((position + keyDelimiter.count)...)
    try add(key, value, [], nowMs, to: &appender)
    return .record
  }

  private static func position(of delimiter: [UInt8], in line: Span<UInt8>) -> Int? {
    guard delimiter.count <= line.count else { return nil }
    for start in 0...(line.count - delimiter.count) where line[start] == delimiter[0] {
      if delimiter.indices.allSatisfy({ line[start + $0] == delimiter[$0] }) { return start }
    }
    return nil
  }

  // MARK: NDJSON

  private mutating func stepObject(
    _ appender: inout BatchAppender
  ) throws(CommandFailure) -> Step {
    let range: Range<Int>
    switch try buffer.nextLine(timeoutMs: appender.lingerLeftMs) {
    case .end: return .end
    case .timedOut: return .lingered
    case .bytes(let found): range = found
    }
    lineNumber += 1
    tick()
    let record: NDJSONRecord?
    do throws(InputFault) {
      record = try json.read(buffer.bytes(range))
    } catch {
      throw fault(error)
    }
    guard let record else { return .record }
    try add(
      json.bytes(record.key), json.bytes(record.value), record.headers,
      record.timestamp ?? nowMs, to: &appender)
    return .record
  }

  // MARK: Binary

  private mutating func stepBinary(
    _ appender: inout BatchAppender
  ) throws(CommandFailure) -> Step {
    // Both lengths and both bodies must be loaded at once, so that their spans stay valid.
    guard let keyCount = try length(at: 0, appender.lingerLeftMs) else {
      return try endOrLinger(0, appender)
    }
    let keyEnd = 4 + max(keyCount, 0)
    guard let valueCount = try length(at: keyEnd, appender.lingerLeftMs) else {
      return try endOrLinger(keyEnd + 4, appender)
    }
    let end = keyEnd + 4 + max(valueCount, 0)
    guard case .bytes(let range) = try buffer.peek(end, timeoutMs: appender.lingerLeftMs) else {
      return try endOrLinger(end, appender)
    }
    lineNumber += 1
    tick()
    do {
      let record = buffer.bytes(range)
      let key: Span<UInt8>? = keyCount < 0 ? nil : record.extracting(4..<keyEnd)
      let value: Span<UInt8>? = valueCount < 0 ? nil : record.extracting((keyEnd + 4)..<end)
      try add(key, value, [], nowMs, to: &appender)
    }
    buffer.drop(end)
    return .record
  }

  /// The length `offset` bytes ahead; nil if it is not there (yet).
  private mutating func length(at offset: Int, _ timeoutMs: Int) throws(CommandFailure) -> Int? {
    guard case .bytes(let range) = try buffer.peek(offset + 4, timeoutMs: timeoutMs) else {
      return nil
    }
    let length = buffer.bytes(range).loadBigEndian(Int32.self, at: offset)
    guard length >= -1, Int(length) <= RecordBatchBuilder.recordBytesMax else {
      throw CommandFailure.failure(
        "\(buffer.name): record \(lineNumber + 1) at byte \(buffer.consumed) has a length of "
          + "\(length) at byte \(buffer.consumed + offset); -1 to "
          + "\(RecordBatchBuilder.recordBytesMax) are allowed (is --input binary right?)")
    }
    return Int(length)
  }

  private mutating func endOrLinger(
    _ needed: Int, _ appender: borrowing BatchAppender
  ) throws(CommandFailure) -> Step {
    switch try buffer.peek(max(needed, 1), timeoutMs: 0) {
    case .bytes: return .lingered
    case .timedOut: return .lingered
    case .end:
      guard buffer.remaining > 0 else { return .end }
      throw CommandFailure.failure(
        "\(buffer.name): record \(lineNumber + 1) at byte \(buffer.consumed) is cut off after "
          + "\(buffer.remaining) bytes; the records before it were appended")
    }
  }

  // MARK: Common

  private func add(
    _ key: Span<UInt8>?, _ value: Span<UInt8>?, _ headers: [RecordHeader], _ timestamp: Int64,
    to appender: inout BatchAppender
  ) throws(CommandFailure) {
    do throws(CommandFailure) {
      try appender.add(timestamp: timestamp, key: key, value: value, headers: headers)
    } catch {
      throw CommandFailure(error.status, error.message.map { "\(place): \($0)" })
    }
  }

  /// Reads the clock occasionally.
  private mutating func tick() {
    recordsSinceClock += 1
    guard recordsSinceClock >= 64 || !buffer.isFile else { return }
    recordsSinceClock = 0
    nowMs = WallClock.nowMs()
  }

  private var place: String {
    format == .binary
      ? "\(buffer.name): record \(lineNumber)" : "\(buffer.name):\(lineNumber)"
  }

  private func fault(_ fault: InputFault) -> CommandFailure {
    .failure(
      "\(place):\(fault.position + 1): \(fault.text); the records before this line were appended")
  }
}
