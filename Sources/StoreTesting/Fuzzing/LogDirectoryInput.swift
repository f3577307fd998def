import DiskIO
import LogStore
import MkstoreBytes

/// Arbitrary bytes interpreted as a store with one log in it, for a fuzzer to mutate.
///
/// A byte of flags, then files: a byte for the kind (low 4 bits; bit 4: repair the checksums), four
/// for the base offset in the name, three for the length, the content. An unparsable entry ends the
/// list; a repeated name counts once.
struct LogDirectoryInput {
  static let store = "/store"
  static let log = "/store/t-0"

  /// Bits of the first byte.
  let flags: UInt8
  private(set) var files: [(path: String, bytes: [UInt8])] = []

  init(_ input: Span<UInt8>) {
    flags = input.count > 0 ? input[0] : 0
    var position = 1
    while position + 8 <= input.count {
      let kind = input[position]
      let base = input.loadBigEndian(UInt32.self, at: position + 1)
      let length = Int(input.loadBigEndian(UInt32.self, at: position + 4) & 0xff_ffff)
      position += 8
      let end = min(input.count, position + length)
      var bytes = (position..<end).map { input[$0] }
      position = end
      if kind & 0x10 != 0 { Self.repair(&bytes, kind: kind & 15) }
      let path = Self.path(kind: kind & 15, base: Int64(base))
      if !files.contains(where: { $0.path == path }) { files.append((path, bytes)) }
    }
  }

  /// A disk that holds the files, all of them synced.
  func disk() throws(DiskError) -> SimulatedDisk {
    let disk = SimulatedDisk(seed: UInt64(flags))
    try disk.installDirectory(Self.log)
    for (path, bytes) in files { try disk.install(path, bytes) }
    if flags & 1 != 0 { try disk.install("\(Self.store)/\(CleanShutdownFile.name)", []) }
    return disk
  }

  private static func path(kind: UInt8, base: Int64) -> String {
    func segment(_ kind: SegmentName.Kind, _ stage: SegmentName.Stage? = nil) -> String {
      "\(log)/\(SegmentName(base, kind, stage: stage).fileName)"
    }
    return switch kind {
    case 0: segment(.log)
    case 1: segment(.index)
    case 2: segment(.timeindex)
    case 3: segment(.txnindex)
    case 4: segment(.snapshot)
    case 5: "\(log)/\(DurableMark.fileName)"
    case 6: "\(log)/\(LeaderEpochCheckpoint.name)"
    case 7: "\(store)/\(OffsetCheckpoint.Name.recoveryPoint.rawValue)"
    case 8: "\(store)/\(OffsetCheckpoint.Name.logStart.rawValue)"
    case 9: segment(.log, .swap)
    case 10: segment(.log, .cleaned)
    case 11: segment(.index, .swap)
    case 12: segment(.log, .deleted)
    case 13: "\(store)/\(MetaProperties.name)"
    case 14: "\(log)/\(PartitionMetadata.name)"
    default: "\(log)/\(RecoveryHistory.fileName)"
    }
  }

  /// Corrects checksums, so that mutations reach the code after the checks.
  private static func repair(_ bytes: inout [UInt8], kind: UInt8) {
    var span = bytes.mutableSpan
    switch kind {
    case 0, 9: repairBatches(&span)
    case 4 where span.count >= 6:
      span.storeBigEndian(CRC32C.checksum(span.span.extracting(6...)), at: 2)
    case 5:
      for slot in 0..<DurableMark.slotCount {
        let start = slot * DurableMark.slotBytes
        guard start < span.count else { return }
        guard let position = MarkRecord.crcPosition(span.span.extracting(start...)) else {
          continue
        }
        let crc = CRC32C.checksum(span.span.extracting(start..<start + position))
        span.storeBigEndian(crc, at: start + position)
      }
    default: return
    }
  }

  private static func repairBatches(_ span: inout MutableSpan<UInt8>) {
    var position = 0
    while position + 61 <= span.count {
      let length = Int(span.span.loadBigEndian(Int32.self, at: position + 8))
      guard length >= 49, length <= span.count - position - 12 else { return }
      let end = position + 12 + length
      if span.span[position + 16] == 2 {
        let crc = CRC32C.checksum(span.span.extracting(position + 21..<end))
        span.storeBigEndian(crc, at: position + 17)
      }
      position = end
    }
  }
}
