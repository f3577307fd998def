internal import DiskIO

/// A `.log` file that is read around the sectors that the disk cannot read (EIO).
///
/// A read that fails is tried again in halves, down to single sectors. Sectors that still fail are
/// filled with `filler`, which is part of no batch, and recorded. If no byte of a file can be read,
/// the disk's error is thrown: that is a disk or a file without access, not a bad sector.
///
/// **Cost.** Nothing while the disk works. At most `failedReadsMax` reads may fail for each value;
/// after that, failing ranges are not divided further. A sector that failed is not read again.
///
/// Any thread; a writer uses the file itself, never this.
package final class ReadAroundFile: WrappingFile {
  /// The smallest unit of any disk; reads are divided down to it.
  package static let sectorBytes = 512
  /// Failed reads that are spent on finding the bad sectors.
  static let failedReadsMax = 1024
  /// Replaces bytes that cannot be read: no offset, length or format of a batch.
  package static let filler: UInt8 = 0xFF
  /// At about this many positions a byte is read before the whole file counts as unreadable; in a
  /// file with fewer sectors, in each.
  private static let probes = 32

  private struct Found {
    /// Whole sectors, by position; no two are adjacent.
    var unreadable: [Range<Int>] = []
    var failedReads = 0
    /// Whether a byte of the file could be read since the first failure.
    var isReadable = false
  }

  let base: any DiskFile
  private let found = Locked(Found())

  private init(_ base: any DiskFile) {
    self.base = base
  }

  /// Reads around bad sectors of `file`; `file` itself where it is one already.
  static func around(_ file: any DiskFile) -> ReadAroundFile {
    file as? ReadAroundFile ?? ReadAroundFile(file)
  }

  /// The first byte of `range` that is known to be unreadable.
  func firstUnreadable(in range: Range<Int>) -> Int? {
    unreadable(in: range).first?.lowerBound
  }

  /// The parts of `range` that are known to be unreadable.
  package func unreadable(in range: Range<Int>) -> [Range<Int>] {
    found.withLock { found in
      found.unreadable.isEmpty
        ? [] : found.unreadable.filter { $0.overlaps(range) }.map { $0.clamped(to: range) }
    }
  }

  func read(
    into buffer: inout MutableSpan<UInt8>, at position: Int
  ) throws(DiskError) -> Int {
    if firstUnreadable(in: position..<position + buffer.count) == nil {
      do throws(DiskError) {
        return try base.read(into: &buffer, at: position)
      } catch {
        guard error.isUnreadableSector else { throw error }
        try note(error)
      }
    }
    return try readPieces(into: &buffer, at: position)
  }

  /// Records the first failure: unless some byte of the file can be read, it is no bad sector.
  private func note(_ error: DiskError) throws(DiskError) {
    if found.withLock({ $0.isReadable }) { return }
    let sectors = (try base.size() + Self.sectorBytes - 1) / Self.sectorBytes
    for sector in stride(from: 0, to: sectors, by: max(1, sectors / Self.probes)) {
      if try isReadable(sector * Self.sectorBytes) {
        return found.withLock { $0.isReadable = true }
      }
    }
    throw error
  }

  private func isReadable(_ position: Int) throws(DiskError) -> Bool {
    var byte: [UInt8] = [0]
    var target = byte.mutableSpan
    do throws(DiskError) {
      return try base.read(into: &target, at: position) == 1
    } catch {
      guard error.isUnreadableSector else { throw error }
      return false
    }
  }

  /// Reads what can be read, in pieces that end at sector boundaries.
  private func readPieces(
    into buffer: inout MutableSpan<UInt8>, at position: Int
  ) throws(DiskError) -> Int {
    let end = min(position + buffer.count, try base.size())
    var pieces = position < end ? [position..<end] : []
    while let piece = pieces.popLast() {
      if let known = unreadable(in: piece).first {
        buffer.fill(known.lowerBound - position..<known.upperBound - position, Self.filler)
        // The part in front comes next.
        pieces += [known.upperBound..<piece.upperBound, piece.lowerBound..<known.lowerBound]
          .filter { !$0.isEmpty }
        continue
      }
      do throws(DiskError) {
        var part = buffer._mutatingExtracting(
          piece.lowerBound - position..<piece.upperBound - position)
        let count = try base.read(into: &part, at: piece.lowerBound)
        if count < piece.count { return piece.lowerBound + count - position }
      } catch {
        guard error.isUnreadableSector else { throw error }
        pieces += divide(piece)
      }
    }
    return end - position
  }

  /// The halves of a piece that could not be read, the first one last; for a sector, which is
  /// recorded, the piece itself.
  private func divide(_ piece: Range<Int>) -> [Range<Int>] {
    let sector = Self.sectorBytes
    let first = piece.lowerBound / sector
    let end = (piece.upperBound - 1) / sector + 1
    let isSpent = found.withLock { found in
      found.failedReads += 1
      return found.failedReads > Self.failedReadsMax
    }
    if end - first == 1 || isSpent {
      add(first * sector..<end * sector)
      return [piece]
    }
    let middle = (first + (end - first) / 2) * sector
    return [middle..<piece.upperBound, piece.lowerBound..<middle]
  }

  private func add(_ range: Range<Int>) {
    found.withLock { found in
      var merged = range
      found.unreadable.removeAll { known in
        guard known.lowerBound <= merged.upperBound, merged.lowerBound <= known.upperBound else {
          return false
        }
        merged = min(known.lowerBound, merged.lowerBound)..<max(known.upperBound, merged.upperBound)
        return true
      }
      found.unreadable.append(merged)
      found.unreadable.sort { $0.lowerBound < $1.lowerBound }
    }
  }
}

extension MutableSpan<UInt8> {
  fileprivate mutating func fill(_ range: Range<Int>, _ value: UInt8) {
    for index in range { self[index] = value }
  }
}
