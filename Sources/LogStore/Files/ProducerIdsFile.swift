package import DiskIO

/// Which producer ids a store has assigned (`mkstore.producer-ids` in the store's directory).
///
/// Text with a CRC (docs/format.md#mkstoreproducer-ids). Read strictly: content that is not byte
/// for byte what `encoded` writes is unreadable.
package struct ProducerIdsFile: Sendable, Equatable {
  /// The file's name.
  package static let name = "mkstore.producer-ids"
  /// Largest file that is read.
  package static let bytesMax = 4096

  /// No id from here on was assigned. nil in the old form of the file: its ids were counted from 0
  /// as a broker's are, so counting on from them would repeat a broker's.
  package var nextProducerId: Int64?

  /// Memberwise.
  package init(nextProducerId: Int64) {
    self.nextProducerId = nextProducerId
  }

  /// Reads a store's file; nil if there is none.
  ///
  /// - Throws: `.unreadable`, also if the name belongs to something other than a file.
  package static func read(
    _ disk: any Disk, directory: String
  ) throws(CheckpointError) -> ProducerIdsFile? {
    let path = "\(directory)/\(name)"
    if let bytes = try SmallFile.read(disk, path, limit: bytesMax) {
      return try ProducerIdsFile(bytes, path: path)
    }
    let kind: FileKind?
    do throws(DiskError) {
      kind = try disk.status(path)?.kind
    } catch {
      throw .disk(error)
    }
    guard kind == nil else {
      throw .unreadable(path: path, line: nil, what: "is not a regular file")
    }
    return nil
  }

  /// Reads a file's content; `path` is for messages.
  package init(_ bytes: [UInt8], path: String) throws(CheckpointError) {
    let last = String(decoding: bytes, as: UTF8.self).split(separator: "\n").last ?? ""
    guard last.hasPrefix(Self.nextKey), let next = Int64(last.dropFirst(Self.nextKey.count)) else {
      throw .unreadable(path: path, line: nil, what: "does not end with 'next_producer_id: N'")
    }
    let isOldForm = (0...ProducerIdRange.limit).contains(next) && bytes == Self.oldForm(next)
    nextProducerId = isOldForm ? nil : next
    if isOldForm { return }
    guard bytes == encoded else {
      throw .unreadable(path: path, line: nil, what: "the CRC or another part of it is wrong")
    }
    guard (ProducerIdRange.first...ProducerIdRange.limit).contains(next) else {
      throw .unreadable(
        path: path, line: nil, what: "\(next) is outside the range that ids are given out from")
    }
  }

  /// Replaces a store's file, durably.
  package func write(_ disk: any Disk, directory: String) throws(DiskError) {
    try SmallFile.writeAtomically(disk, directory: directory, name: Self.name, encoded)
  }

  /// The file's content.
  package var encoded: [UInt8] {
    CheckedText.encode(Array("version: 1\n\(Self.nextKey)\(nextProducerId ?? 0)\n".utf8))
  }

  private static let nextKey = "next_producer_id: "

  private static func oldForm(_ next: Int64) -> [UInt8] {
    Array("version: 0\n\(nextKey)\(next)\n".utf8)
  }
}
