public import MkstoreBytes

/// The reused memory of decoding: codec contexts and a buffer of inflated bytes.
///
/// ```swift
/// var decoder = RecordDecoder(tolerance: .kafka)
/// var batches = RecordBatches(bytes.span)
/// while let batch = try batches.next() { print(try batch.records(&decoder).count) }
/// ```
///
/// Records are inflated piece by piece and read as they come, so that a batch takes the memory of a
/// piece (256 KiB), of its largest record and of the codec's window, however far it inflates. A
/// batch that exceeds `decompressedBytesMax` is refused when it does, or before; docs/format.md
/// explains how that stays below 8 MiB for each codec. Owned by one thread at a time.
public struct RecordDecoder: ~Copyable {
  /// What to do about bytes that break the rules but that Kafka's readers accept.
  public enum Tolerance: Sendable {
    /// Refuse them.
    case strict
    /// Read what Kafka's consumers read, and report it in the findings.
    case kafka
  }

  /// 64 MiB.
  public static let decompressedBytesMaxDefault = 64 << 20

  /// Bytes that the records of one batch may inflate to.
  public let decompressedBytesMax: Int
  /// What is accepted.
  public let tolerance: Tolerance
  /// Oddities of the batch that was read last.
  public internal(set) var findings: BatchFindings = []

  /// Inflated bytes, of which `unread` are not read yet.
  @usableFromInline var storage = ByteStorage(capacity: 0)
  @usableFromInline var unread = 0..<0
  /// Inflated bytes of this batch that were read and dropped before those in `storage`.
  private var dropped = 0
  private var inflater = Inflater()

  private static let pieceBytes = 256 << 10
  /// More memory is freed before the next batch.
  private static let keptBytesMax = 4 << 20

  /// - Parameters:
  ///   - decompressedBytesMax: See the property.
  ///   - tolerance: See the property.
  public init(
    decompressedBytesMax: Int = RecordDecoder.decompressedBytesMaxDefault,
    tolerance: Tolerance = .strict
  ) {
    self.decompressedBytesMax = decompressedBytesMax
    self.tolerance = tolerance
  }

  /// Prepares for the compressed records of a batch.
  @usableFromInline
  mutating func begin(
    _ codec: CompressionCodec, _ payload: Span<UInt8>, magic: Int8
  ) throws(BatchError) {
    unread = 0..<0
    dropped = 0
    storage.shrink(to: RecordDecoder.keptBytesMax)
    try inflater.begin(codec, payload, magic: magic, limit: decompressedBytesMax)
    if inflater.findings.contains(.snappyVersion), tolerance == .strict {
      throw .compression(.snappy, reason: "the framing has another version than 1")
    }
  }

  /// Whether nothing follows `piece`.
  @usableFromInline
  var isFinished: Bool { inflater.isFinished }

  /// Inflated bytes not yet read.
  @usableFromInline
  var piece: Span<UInt8> {
    @_lifetime(borrow self)
    borrowing get { storage.bytes(unread) }
  }

  /// Position of `piece` in all inflated bytes of this batch.
  @usableFromInline
  var pieceStart: Int { dropped + unread.lowerBound }

  /// Marks the first `count` bytes of `piece` as read.
  @usableFromInline
  mutating func drop(_ count: Int) {
    precondition(count >= 0 && count <= unread.count, "drops \(count) of \(unread.count) bytes")
    unread = unread.lowerBound + count..<unread.upperBound
  }

  /// Inflates until `piece` has at least `minimum` bytes or the stream is finished.
  ///
  /// - Parameter payload: The argument of `begin`.
  @usableFromInline
  mutating func fill(_ payload: Span<UInt8>, _ minimum: Int) throws(BatchError) {
    // One byte more than allowed may be requested, to check that it does not exist.
    guard minimum <= max(decompressedBytesMax - pieceStart, 1) else {
      throw .inflatesTooFar(codec, limit: decompressedBytesMax)
    }
    while unread.count < minimum, !inflater.isFinished {
      let room = try inflater.roomNeeded(payload)
      guard room - 1 <= decompressedBytesMax - (pieceStart + unread.count) else {
        throw .inflatesTooFar(codec, limit: decompressedBytesMax)
      }
      makeRoom(max(room, minimum - unread.count))
      let written = try RecordDecoder.step(
        &inflater, payload, &storage, from: unread.upperBound, tolerance)
      unread = unread.lowerBound..<unread.upperBound + written
      guard pieceStart + unread.count <= decompressedBytesMax else {
        throw .inflatesTooFar(codec, limit: decompressedBytesMax)
      }
    }
  }

  /// Makes room for `count` bytes after `unread`, which moves to the front if there is none.
  private mutating func makeRoom(_ count: Int) {
    if unread.lowerBound > 0 {
      storage.moveToFront(unread)
      dropped += unread.lowerBound
      unread = 0..<unread.count
    }
    storage.reserve(
      max(unread.count + count, RecordDecoder.pieceBytes), keeping: unread.count)
  }

  private static func step(
    _ inflater: inout Inflater, _ payload: Span<UInt8>, _ storage: inout ByteStorage,
    from start: Int, _ tolerance: Tolerance
  ) throws(BatchError) -> Int {
    var output = storage.mutableBytes(start..<storage.capacity)
    return try inflater.step(payload, &output, tolerance: tolerance)
  }

  @usableFromInline
  mutating func clear() {
    findings = []
    inflater.clear()
  }

  @usableFromInline
  mutating func add(_ more: BatchFindings) { findings.formUnion(more) }

  /// Inflated bytes so far of the batch that was read last; nil if it was not compressed.
  @usableFromInline
  var inflatedBytes: Int? { codec == .none ? nil : dropped + unread.upperBound }

  /// The codec's oddities.
  @usableFromInline
  var streamFindings: BatchFindings { inflater.findings }

  private var codec: CompressionCodec { inflater.codec }
}
