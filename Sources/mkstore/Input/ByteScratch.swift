import MkstoreBytes

/// Bytes collected for one record and then discarded; the memory stays. Owned by one thread.
struct ByteScratch: ~Copyable {
  private var storage = ByteStorage(capacity: 4096)
  /// Bytes collected so far.
  private(set) var count = 0

  /// Discards the bytes.
  mutating func reset() { count = 0 }

  /// Adds bytes.
  mutating func append(_ bytes: Span<UInt8>) {
    storage.reserve(count + bytes.count, keeping: count)
    var room = storage.mutableBytes(count..<count + bytes.count)
    room.copy(bytes, at: 0)
    count += bytes.count
  }

  /// Adds one byte.
  mutating func append(_ byte: UInt8) {
    storage.reserve(count + 1, keeping: count)
    var room = storage.mutableBytes(count..<count + 1)
    room[0] = byte
    count += 1
  }

  /// Adds a character as UTF-8.
  mutating func append(_ scalar: Unicode.Scalar) {
    for byte in UTF8.encode(scalar)! { append(byte) }
  }

  /// The bytes of a collected range.
  @_lifetime(borrow self)
  borrowing func bytes(_ range: Range<Int>) -> Span<UInt8> { storage.bytes(range) }
}
