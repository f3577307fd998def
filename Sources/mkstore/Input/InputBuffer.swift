import Glibc
import MkstoreBytes

/// A stream of input with a buffer that holds at least one whole record of it.
///
/// Bytes are returned as ranges that stay valid until the next call. Owned by one thread.
struct InputBuffer: ~Copyable {
  /// The result of a request for a line, or for bytes.
  enum Outcome: Equatable {
    /// Their range.
    case bytes(Range<Int>)
    /// The input has ended; for `take`, before a single byte.
    case end
    /// Nothing arrived in time.
    case timedOut
  }

  /// For messages.
  let name: String
  /// Whether all bytes of the input already exist, so that waiting is pointless.
  let isFile: Bool
  /// Bytes in a file, for progress.
  let size: Int?
  /// Bytes returned so far.
  private(set) var consumed = 0

  private let descriptor: Int32
  private var storage: ByteStorage
  private var start = 0
  private var end = 0
  /// Bytes after `start` that contain no line feed.
  private var scanned = 0
  private var isExhausted = false

  /// Longest line, and most bytes that `take` returns at once: slightly more than a record's
  /// largest key or value.
  static let bytesMax = 96 << 20
  private static let chunkBytes = 256 << 10

  /// Opens a file, or standard input for `-`.
  init(path: String) throws(CommandFailure) {
    if path == "-" {
      name = "standard input"
      descriptor = StandardStreams.input
    } else {
      name = path
      descriptor = StandardStreams.open(path)
      guard descriptor >= 0 else {
        throw CommandFailure.failure("open \(path): \(ErrorText.of(-descriptor))")
      }
    }
    size = StandardStreams.fileSize(descriptor)
    isFile = size != nil
    storage = ByteStorage(capacity: InputBuffer.chunkBytes)
  }

  deinit {
    if descriptor > 2 { StandardStreams.close(descriptor) }
  }

  /// The bytes of a range that was just returned.
  @_lifetime(borrow self)
  borrowing func bytes(_ range: Range<Int>) -> Span<UInt8> { storage.bytes(range) }

  /// The next line without its line feed; the last one may lack it.
  ///
  /// - Parameter timeoutMs: Longest wait for input; −1 for ever.
  mutating func nextLine(timeoutMs: Int) throws(CommandFailure) -> Outcome {
    while true {
      if let feed = findLineFeed() {
        let line = start..<feed
        consumed += feed + 1 - start
        start = feed + 1
        scanned = 0
        return .bytes(line)
      }
      scanned = end - start
      if isExhausted {
        guard start < end else { return .end }
        let line = start..<end
        consumed += line.count
        start = end
        scanned = 0
        return .bytes(line)
      }
      guard end - start <= InputBuffer.bytesMax else {
        throw CommandFailure.failure(
          "\(name): a line is longer than \(InputBuffer.bytesMax) bytes; is --input right?")
      }
      guard try fill(timeoutMs: timeoutMs) else { return .timedOut }
    }
  }

  /// The next `count` bytes.
  ///
  /// - Returns: `.end` if the input ends before them; `remaining` then has the number left.
  mutating func peek(_ count: Int, timeoutMs: Int) throws(CommandFailure) -> Outcome {
    while end - start < count {
      if isExhausted { return .end }
      guard try fill(timeoutMs: timeoutMs) else { return .timedOut }
    }
    return .bytes(start..<start + count)
  }

  /// Consumes bytes that `peek` returned.
  mutating func drop(_ count: Int) {
    precondition(count <= end - start, "drops \(count) of \(end - start) bytes")
    start += count
    consumed += count
  }

  /// Bytes read and not yet consumed.
  var remaining: Int { end - start }

  private func findLineFeed() -> Int? {
    let fresh = storage.bytes(start + scanned..<end)
    for index in fresh.indices where fresh[index] == 0x0A { return start + scanned + index }
    return nil
  }

  /// Reads more, moving the remaining bytes to the front if room is needed.
  ///
  /// - Returns: False if nothing arrived in time.
  private mutating func fill(timeoutMs: Int) throws(CommandFailure) -> Bool {
    try Interrupt.check()
    if !isFile, timeoutMs >= 0 {
      switch StandardStreams.waitForInput(descriptor, timeoutMs: timeoutMs) {
      case .timedOut: return false
      case .interrupted: throw CommandFailure.interrupted
      case .ready: break
      }
    }
    if start > 0 {
      storage.moveToFront(start..<end)
      end -= start
      start = 0
    }
    storage.reserve(end + InputBuffer.chunkBytes / 2, keeping: end)
    switch InputBuffer.read(descriptor, into: &storage, at: end) {
    case .bytes(let count): end += count
    case .end: isExhausted = true
    case .interrupted: try Interrupt.check()
    case .failed(let code):
      throw CommandFailure.failure("read \(name): \(ErrorText.of(code))\(remedy(code))")
    }
    return true
  }

  private func remedy(_ code: Int32) -> String {
    code == EBADF && descriptor == StandardStreams.input
      ? "; it is closed: name a file, or give it an input (< /dev/null for none)" : ""
  }

  private static func read(
    _ descriptor: Int32, into storage: inout ByteStorage, at start: Int
  ) -> StandardStreams.ReadOutcome {
    var room = storage.mutableBytes(start..<storage.capacity)
    return StandardStreams.read(descriptor, into: &room)
  }
}
