internal import DiskIO
internal import MkstoreBytes

/// The bytes of an index file that is read and written by system calls, for a process that maps
/// nothing.
///
/// The file is opened for each access, so that an index holds no descriptor. The most recently read
/// blocks are kept. Appended entries collect in memory and are written once they fill a block, and
/// by `writeOut`. Any thread may load; one thread appends.
final class IndexBlocks: Sendable {
  /// Most blocks kept of one index; a binary search in the largest index touches about ten.
  static let blocksMax = 32
  /// Bytes read at once, or slightly less, so that no entry is split between two blocks.
  private static let blockBytesMax = 4096

  private let disk: any Disk
  private let path: String
  private let blockBytes: Int
  private let state: Locked<State>

  fileprivate struct State {
    var blocks: [Block] = []
    var uses: UInt64 = 0
    /// Where the appended entries begin that the file lacks; everything before is in the file.
    var freshStart: Int
    var fresh: [UInt8] = []
  }

  fileprivate struct Block {
    var number: Int
    /// Fewer than `blockBytes` at the end of the file.
    var bytes: [UInt8]
    var lastUse: UInt64
  }

  /// - Parameter byteCount: Bytes of the entries that are in the file.
  init(_ disk: any Disk, path: String, entryBytes: Int, byteCount: Int) {
    self.disk = disk
    self.path = path
    blockBytes = Self.blockBytesMax / entryBytes * entryBytes
    state = Locked(State(freshStart: byteCount))
  }

  /// The big-endian integer at `position`, which was written or appended.
  ///
  /// - Throws: What reading throws; `EIO` if the file ends before it.
  func load<Word: FixedWidthInteger & BitwiseCopyable>(
    _ type: Word.Type, at position: Int
  ) throws(DiskError) -> Word {
    let (number, start) = position.quotientAndRemainder(dividingBy: blockBytes)
    if let word = state.withLock({ $0.load(type, at: position, block: number, start) }) {
      return word
    }
    let bytes = try read(number)
    guard start + MemoryLayout<Word>.size <= bytes.count else { throw .cutShort(path) }
    state.withLock { $0.keep(bytes, number) }
    return bytes.span.loadBigEndian(type, at: start)
  }

  private func read(_ number: Int) throws(DiskError) -> [UInt8] {
    let start = number * blockBytes
    let count = min(blockBytes, state.withLock { $0.freshStart } - start)
    var bytes = [UInt8](repeating: 0, count: max(0, count))
    var target = bytes.mutableSpan
    let got = try disk.open(path, .read).read(into: &target, at: start)
    guard got == bytes.count else { throw .cutShort(path) }
    return bytes
  }

  /// Appends an integer, and a second one if given, big-endian.
  func append(_ first: UInt64, _ second: UInt32?) throws(DiskError) {
    try state.withLock { (state) throws(DiskError) in
      state.fresh.appendBigEndian(first)
      if let second { state.fresh.appendBigEndian(second) }
      if state.fresh.count >= blockBytes { try write(&state) }
    }
  }

  /// Writes the appended entries that the file lacks.
  func writeOut() throws(DiskError) {
    try state.withLock { (state) throws(DiskError) in try write(&state) }
  }

  private func write(_ state: inout State) throws(DiskError) {
    guard !state.fresh.isEmpty else { return }
    try disk.open(path, .readWrite).write(state.fresh.span, at: state.freshStart)
    state.freshStart += state.fresh.count
    state.fresh.removeAll(keepingCapacity: true)
  }
}

extension IndexBlocks.State {
  /// The integer, if it is in memory.
  fileprivate mutating func load<Word: FixedWidthInteger & BitwiseCopyable>(
    _ type: Word.Type, at position: Int, block number: Int, _ start: Int
  ) -> Word? {
    if position >= freshStart { return fresh.span.loadBigEndian(type, at: position - freshStart) }
    guard let index = blocks.firstIndex(where: { $0.number == number }),
      start + MemoryLayout<Word>.size <= blocks[index].bytes.count
    else { return nil }
    uses += 1
    blocks[index].lastUse = uses
    let bytes = blocks[index].bytes
    return bytes.span.loadBigEndian(type, at: start)
  }

  /// Stores a block in place of an older version of it, or of the least recently used one.
  fileprivate mutating func keep(_ bytes: [UInt8], _ number: Int) {
    uses += 1
    let block = IndexBlocks.Block(number: number, bytes: bytes, lastUse: uses)
    if let index = blocks.firstIndex(where: { $0.number == number }) {
      if blocks[index].bytes.count <= bytes.count { blocks[index] = block }
    } else if blocks.count < IndexBlocks.blocksMax {
      blocks.append(block)
    } else if let oldest = blocks.indices.min(by: { blocks[$0].lastUse < blocks[$1].lastUse }) {
      blocks[oldest] = block
    }
  }
}
