internal import Bytes
internal import DiskIO

/// The file `mkstore.lost` of a log: offsets that an opening found lost, as it told them. What told
/// of them changes with the opening and with what is appended later.
///
/// So the same loss is told before and after. A line for each, `<first offset> <end offset>
/// <position> <file> <reason>`, and last `crc32c <hexadecimal>` of the lines before. Kafka ignores
/// the file. A note is told up to the first valid batch at one of its offsets. The next opening for
/// writing replaces a file that is wrong.
package enum KnownLosses {
  /// Name of the file.
  package static let fileName = "mkstore.lost"
  private static let lossesMax = 1000

  /// The losses; a file that is wrong is reported and says nothing.
  static func read(
    _ directory: LogDirectory, _ entries: [DirectoryEntry], _ names: inout LogFrame.NameFindings
  ) throws(DiskError) -> [DamagedRange] {
    let path = directory.path(fileName)
    func report(_ what: String, remedy: String?) {
      names.sideFileDamage.append(
        SideFileDamage(
          file: path, reason: "\(what); losses that earlier openings noted in it are not known",
          remedy: remedy))
    }
    do throws(CheckpointError) {
      if let bytes = try SmallFile.read(directory.disk, path) {
        if let losses = decode(bytes, directory) { return losses }
        report("its CRC or one of its lines is wrong", remedy: nil)
      } else if entries.contains(where: { $0.name == fileName && $0.kind == .directory }) {
        report("is a directory", remedy: SideFileRemedy.noFile)
      }
    } catch {
      if case .disk(let error) = error { throw error }
      report("is too large", remedy: nil)
    }
    return []
  }

  /// Whether the file is wrong and the next opening replaces it.
  static func isWrong(_ damage: [SideFileDamage], in directory: LogDirectory) -> Bool {
    damage.contains { $0.file == directory.path(fileName) && $0.isMendedByOpen }
  }

  static func encode(_ losses: [DamagedRange]) -> [UInt8] {
    var text = ""
    for loss in losses.suffix(lossesMax) {
      guard let offsets = loss.offsets else { continue }
      let reason = loss.reason.split(separator: "\n").joined(separator: " ")
      text += "\(offsets.lowerBound) \(offsets.upperBound) \(loss.bytes.lowerBound) "
      text += "\(PathText.lastComponent(loss.file)) \(reason)\n"
    }
    let bytes = Array(text.utf8)
    let crc = String(CRC32C.checksum(bytes.span), radix: 16)
    return bytes + Array("crc32c \(crc)\n".utf8)
  }

  private static func decode(_ bytes: [UInt8], _ directory: LogDirectory) -> [DamagedRange]? {
    let text = String(decoding: bytes, as: UTF8.self)
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.popLast() == "", let last = lines.popLast() else { return nil }
    let content = lines.map { $0 + "\n" }.joined()
    let crc = String(CRC32C.checksum(Array(content.utf8).span), radix: 16)
    guard last == "crc32c \(crc)" else { return nil }
    var losses: [DamagedRange] = []
    for line in lines {
      let fields = line.split(separator: " ", maxSplits: 4)
      guard fields.count == 5, let first = Int64(fields[0]), let end = Int64(fields[1]),
        let position = Int(fields[2]), first < end, position >= 0
      else { return nil }
      losses.append(
        DamagedRange(
          file: directory.path(String(fields[3])), bytes: position..<position,
          offsets: first..<end, reason: String(fields[4])))
    }
    return losses
  }
}
