import DiskIO
import Glibc
import MkstoreBytes

/// Standard output through one large buffer.
///
/// The first failed write is final: later output is discarded, and `flush` (or `check`) reports the
/// failure, so that writing records needs no error handling at each byte. Owned by one thread.
struct OutputBuffer: ~Copyable {
  private let descriptor: Int32
  private let name: String
  private var storage: ByteStorage
  private var count = 0
  /// Error number of the first failed write; 0 for none.
  private(set) var failureCode: Int32 = 0

  /// Bytes collected before they are written.
  static let capacity = 256 << 10

  /// Writes to `descriptor`; `name` is for messages.
  init(descriptor: Int32 = StandardStreams.output, name: String = "standard output") {
    self.descriptor = descriptor
    self.name = name
    storage = ByteStorage(capacity: OutputBuffer.capacity)
  }

  /// Whether everything so far could be written.
  var isGood: Bool { failureCode == 0 }

  /// Adds bytes.
  @inline(__always)
  mutating func write(_ bytes: Span<UInt8>) {
    if bytes.count > OutputBuffer.capacity - count {
      writeLarge(bytes)
      return
    }
    var room = storage.mutableBytes(count..<count + bytes.count)
    room.copy(bytes, at: 0)
    count += bytes.count
  }

  /// Adds bytes of an array.
  mutating func write(_ bytes: [UInt8]) { write(bytes.span) }

  /// Adds a text.
  @inline(__always)
  mutating func write(_ text: String) { write(text.utf8.span) }

  /// Adds one byte.
  @inline(__always)
  mutating func write(byte: UInt8) {
    if count == OutputBuffer.capacity { drain() }
    var room = storage.mutableBytes(count..<count + 1)
    room[0] = byte
    count += 1
  }

  /// Adds a number in decimal digits.
  mutating func write(decimal value: Int64) {
    var digits = InlineArray<20, UInt8>(repeating: 0)
    var start = 20
    var rest = value.magnitude
    repeat {
      start -= 1
      digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    } while rest > 0
    if value < 0 {
      start -= 1
      digits[start] = UInt8(ascii: "-")
    }
    write(digits.span.extracting(start...))
  }

  /// Adds a text and a line end.
  mutating func line(_ text: String) {
    write(text)
    write(byte: UInt8(ascii: "\n"))
  }

  /// Writes the buffered bytes.
  ///
  /// - Throws: `.outputClosed` if the reader closed, `.diskFull`, or a failure with the name.
  mutating func flush() throws(CommandFailure) {
    drain()
    try check()
  }

  /// Throws if an earlier write failed.
  func check() throws(CommandFailure) {
    switch failureCode {
    case 0: return
    case EPIPE: throw CommandFailure.outputClosed
    default: throw CommandFailure(DiskError(.write, name, code: failureCode))
    }
  }

  private mutating func drain() {
    defer { count = 0 }
    guard count > 0, failureCode == 0 else { return }
    failureCode = StandardStreams.writeAll(storage.bytes(0..<count), to: descriptor)
  }

  private mutating func writeLarge(_ bytes: Span<UInt8>) {
    drain()
    if bytes.count >= OutputBuffer.capacity {
      if failureCode == 0 { failureCode = StandardStreams.writeAll(bytes, to: descriptor) }
    } else {
      write(bytes)
    }
  }
}
