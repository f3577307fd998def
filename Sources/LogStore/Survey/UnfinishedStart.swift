internal import DiskIO
internal import MkstoreBytes
internal import RecordFormat

/// Decides whether an interrupted first write may have left a segment without a single valid batch.
/// Otherwise it is damage, or no segment at all.
///
/// An interrupted write leaves zeros, or the beginning of one batch: each field, as far as there
/// are bytes, has the value of this segment's first batch.
struct UnfinishedStart {
  /// First offset that is not plausible in a file whose name has none.
  private static let unnamedOffsetLimit: Int64 = 1 << 53
  /// A first batch begins at most this far after its segment's name, as a rule.
  private static let offsetSpan = Int64(Int32.max) + 1
  /// Smallest length field of any format: an empty message of format 0.
  private static let lengthMin: Int32 = 14

  private let file: any DiskFile
  private let byteCount: Int
  private let offsets: Range<Int64>

  /// - Parameters:
  ///   - byteCount: The file's size.
  ///   - isNamed: Whether the file's name has the base offset.
  init(_ file: any DiskFile, byteCount: Int, baseOffset: Int64, isNamed: Bool) {
    self.file = file
    self.byteCount = byteCount
    let (limit, overflow) = baseOffset.addingReportingOverflow(Self.offsetSpan)
    offsets = baseOffset..<(isNamed ? overflow ? Int64.max : limit : Self.unnamedOffsetLimit)
  }

  /// Checks the header or, if all of it is zeros, the whole file.
  func isPlausible() throws(DiskError) -> Bool {
    var bytes = [UInt8](repeating: 0, count: min(byteCount, BatchHeader.byteCountMin))
    var target = bytes.mutableSpan
    let count = try file.read(into: &target, at: 0)
    if bytes.allSatisfy({ $0 == 0 }) { return try KeptBytes.isAllZeros(0..<byteCount, of: file) }
    return isBeginning(bytes.span.extracting(first: count))
  }

  /// The text about a file that cannot be.
  static func noBatch(_ fault: BatchFault) -> String {
    "no batch was found in it; move it away if it is not a segment of a log, else all of it is "
      + "damaged (\(fault))"
  }

  private func isBeginning(_ head: Span<UInt8>) -> Bool {
    guard isOffset(head) else { return false }
    guard head.count >= BatchLayout.batchLength + 4 else { return true }
    guard head.loadBigEndian(Int32.self, at: BatchLayout.batchLength) >= Self.lengthMin else {
      return false
    }
    guard head.count > BatchLayout.magic else { return true }
    let magic = head.loadBigEndian(Int8.self, at: BatchLayout.magic)
    guard (0...2).contains(magic) else { return false }
    guard head.count >= BatchHeader.fixedByteCount(magic: magic) else { return true }
    do throws(BatchError) {
      _ = try BatchHeader(head)
      return true
    } catch {
      return false
    }
  }

  /// Whether the first bytes, however few, begin an offset of the segment.
  private func isOffset(_ head: Span<UInt8>) -> Bool {
    var low: UInt64 = 0
    var high: UInt64 = 0
    for index in 0..<8 {
      low = low << 8 | UInt64(index < head.count ? head[index] : 0)
      high = high << 8 | UInt64(index < head.count ? head[index] : 0xFF)
    }
    let lowest = Int64(bitPattern: low)
    let highest = Int64(clamping: high)
    return lowest >= 0 && lowest < offsets.upperBound && highest >= offsets.lowerBound
  }
}
