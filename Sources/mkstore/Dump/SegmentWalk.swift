import DiskIO
import LogStore
import RecordFormat

/// Walks over the entries of a `.log` file as stored, including damaged ones.
///
/// Unlike the engine's scanner it also shows an entry whose CRC is wrong, and continues after the
/// entry's own length; but not beyond the next valid entry, since the length may be wrong. Where no
/// entry can be recognised it looks for the next valid one. Owned by one thread.
struct SegmentWalk: ~Copyable {
  /// What is at a position.
  enum Step {
    /// An entry; `fault` if its CRC is wrong.
    case batch(BatchHeader, position: Int, fault: BatchFault?)
    /// Nothing recognisable; `resume` continues after it.
    case invalid(BatchFault, position: Int)
  }

  private let file: any DiskFile
  private let size: Int
  private let believesLengths: Bool
  private var window: FileWindow
  private var position = 0
  private var expectedOffset: Int64

  private static let chunkBytes = 1 << 20

  /// Prepares a walk; nothing is read yet.
  ///
  /// - Parameter believesLengths: Whether an entry's length counts whatever its CRC, as in Kafka's
  ///   own tool.
  init(_ file: any DiskFile, size: Int, baseOffset: Int64, believesLengths: Bool) {
    self.file = file
    self.size = size
    self.believesLengths = believesLengths
    expectedOffset = baseOffset
    window = FileWindow(file, endPosition: size, chunkBytes: SegmentWalk.chunkBytes)
  }

  /// The next step; nil at the file's end. After `.invalid` the same again until `resume`.
  mutating func next() throws(CommandFailure) -> Step? {
    guard position < size else { return nil }
    do throws(DiskError) {
      switch try window.header(at: position) {
      case .failure(let fault): return .invalid(fault, position: position)
      case .success(let header):
        let start = position
        let fault = try window.crcFault(header, at: start)
        position += header.byteCount
        if fault == nil {
          expectedOffset = header.nextOffset
        } else if !believesLengths {
          position = min(position, try skipped(from: start).upperBound)
        }
        if fault != nil { window.drop(start..<position) }
        return .batch(header, position: start, fault: fault)
      }
    } catch {
      throw CommandFailure(error)
    }
  }

  /// Continues at the next valid batch, or at the end; returns the skipped bytes.
  mutating func resume() throws(CommandFailure) -> Range<Int> {
    do throws(DiskError) {
      let skipped = try skipped(from: position)
      window.drop(skipped)
      position = skipped.upperBound
      return skipped
    } catch {
      throw CommandFailure(error)
    }
  }

  /// The bytes from `position` to the next valid batch, or to the end.
  private func skipped(from position: Int) throws(DiskError) -> Range<Int> {
    var scanner = SegmentScanner(
      file, from: position, endPosition: size, expectedOffset: expectedOffset,
      offsetLimit: Int64.max)
    return try scanner.resume().skipped
  }

  /// Loads a whole entry, whose CRC was right, into memory for `bytes`.
  mutating func load(_ header: BatchHeader, at position: Int) throws(CommandFailure) {
    window.grow(to: header.byteCount)
    let isLoaded: Bool
    do throws(DiskError) {
      isLoaded = try window.load(position, header.byteCount)
    } catch {
      throw CommandFailure(error)
    }
    if !isLoaded { throw CommandFailure.failure("\(file.path) was cut while it was read") }
  }

  /// A loaded entry's bytes.
  @_lifetime(borrow self)
  borrowing func bytes(_ header: BatchHeader, at position: Int) -> Span<UInt8> {
    window.bytes(position, header.byteCount)
  }
}
