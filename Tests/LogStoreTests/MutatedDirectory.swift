import DiskIO
import StoreTesting

@testable import LogStore

/// A store's directory with one or two faults chosen by a seed.
struct MutatedDirectory {
  /// Where the store is.
  static let store = "/data"

  let disk: SimulatedDisk
  /// What was done to it, for messages.
  private(set) var faults: [String]
  private var random: SeededGenerator

  /// Harms a copy of a store.
  ///
  /// - Parameter isKilled: Whether its last session did not stop in order.
  init(_ sound: SoundStore, isKilled: Bool, _ random: SeededGenerator) throws {
    disk = sound.disk.kill()
    faults = [sound.name, isKilled ? "killed" : "stopped"]
    self.random = random
    let marker = "\(Self.store)/\(CleanShutdownFile.name)"
    if isKilled, disk.contents(of: marker) != nil {
      try disk.remove(marker)
    } else if !isKilled {
      try disk.install(marker, [])
    }
    if self.random.chance(0.1) { try copyMarks() }
    for _ in 0..<(1 + self.random.index(below: 2)) { try harm() }
  }

  /// The file that a mark names.
  static func birth(_ path: String, _ bytes: [UInt8]) -> FileBirth? {
    guard path.hasSuffix(DurableMark.fileName) else { return nil }
    let slots = stride(from: 0, to: bytes.count, by: DurableMark.slotBytes).compactMap {
      MarkRecord(bytes.span.extracting($0..<min(bytes.count, $0 + DurableMark.slotBytes)))
    }
    return slots.max { $0.sequence < $1.sequence }?.birth
  }

  /// A mark names the file that it was written in: copied, it is of another.
  private mutating func copyMarks() throws {
    for path in disk.paths where path.hasSuffix("/\(DurableMark.fileName)") {
      let content = bytes(path)
      try disk.remove(path)
      try disk.install(path, content)
      note("\(path) copied")
    }
  }

  private enum Fault: CaseIterable {
    case bit, sideBit, headerBit, cut, batchCut, missing, swapped, zeroed, foreign, empty, staged
    case appended, batchLost, batchTwice, markSlot, checkpoint, directory
  }

  private mutating func harm() throws {
    switch Fault.allCases[random.index(below: Fault.allCases.count)] {
    case .bit: try flip(logs)
    case .sideBit: try flip(disk.paths)
    case .headerBit: try flipHeader()
    case .cut: try cut()
    case .batchCut: try editBatches("cut before a batch") { $0 = Array($0.prefix($1)) }
    case .missing: try lose()
    case .swapped: try swap()
    case .zeroed: try zero()
    case .foreign: try addForeign()
    case .empty: try empty()
    case .staged: try stage()
    case .appended: try appendBytes()
    case .batchLost: try editBatches("without a batch") { $0.remove(at: $1) }
    case .batchTwice: try editBatches("with a batch twice") { $0.insert($0[$1], at: $1) }
    case .markSlot: try loseMarkSlot()
    case .checkpoint: try forgeCheckpoint()
    case .directory: try putDirectory()
    }
  }

  // MARK: Files

  private var inLogs: [String] { disk.paths.filter { $0.split(separator: "/").count > 2 } }
  private var logs: [String] { inLogs.filter { $0.hasSuffix(".log") && !bytes($0).isEmpty } }

  private func bytes(_ path: String) -> [UInt8] { disk.contents(of: path) ?? [] }

  private mutating func pick(_ paths: [String]) -> String? {
    paths.isEmpty ? nil : paths[random.index(below: paths.count)]
  }

  private mutating func note(_ text: String) { faults.append(text) }

  /// Changes a file in place.
  private mutating func edit(
    _ path: String?, _ change: (inout [UInt8], inout SeededGenerator) -> String
  ) throws {
    guard let path, disk.contents(of: path) != nil else { return note("nothing left to harm") }
    var content = bytes(path)
    let what = change(&content, &random)
    try disk.install(path, content)
    note("\(path): \(what)")
  }

  private mutating func flip(_ paths: [String]) throws {
    try edit(pick(paths.filter { !bytes($0).isEmpty })) { bytes, random in
      let bit = random.index(below: bytes.count * 8)
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      return "bit \(bit)"
    }
  }

  private mutating func cut() throws {
    try edit(pick(random.chance(0.7) ? logs : inLogs)) { bytes, random in
      bytes = Array(bytes.prefix(random.index(below: bytes.count + 1)))
      return "cut to \(bytes.count)"
    }
  }

  private mutating func lose() throws {
    guard let path = pick(random.chance(0.3) ? logs : inLogs) else { return }
    try disk.remove(path)
    note("\(path) missing")
  }

  private mutating func swap() throws {
    guard let one = pick(inLogs), let other = pick(inLogs) else { return }
    let (first, second) = (bytes(one), bytes(other))
    try disk.install(one, second)
    try disk.install(other, first)
    note("\(one) and \(other) swapped")
  }

  private mutating func zero() throws {
    try edit(pick(inLogs)) { bytes, random in
      guard !bytes.isEmpty else { return "is empty" }
      let start = random.index(below: bytes.count)
      let end = min(bytes.count, start + 1 + random.index(below: bytes.count))
      for index in start..<end { bytes[index] = 0 }
      return "zeros from \(start) to \(end)"
    }
  }

  /// A text, random bytes or another segment's under a segment's name.
  private mutating func addForeign() throws {
    guard let log = pick(logs) else { return }
    let last = logs.compactMap { SegmentName(PathText.lastComponent($0)) }.map(\.baseOffset).max()
    let base = Int64(random.index(below: Int(last ?? 0) + 120))
    let kinds: [SegmentName.Kind] = [.log, .log, .index, .timeindex, .snapshot]
    let name = SegmentName(base, kinds[random.index(below: kinds.count)]).fileName
    let content = [Array("hello, world\n".utf8), random.bytes(200), bytes(log)]
    let path = "\(PathText.parent(log))/\(name)"
    let bytes = content[random.index(below: content.count)]
    try disk.install(path, bytes)
    note("\(path) made of \(bytes.count) bytes")
  }

  private mutating func empty() throws {
    try edit(pick(random.chance(0.7) ? logs : inLogs)) { bytes, _ in
      bytes = []
      return "emptied"
    }
  }

  private mutating func stage() throws {
    guard let path = pick(random.chance(0.8) ? logs : inLogs) else { return }
    let stage = ["swap", "cleaned", "deleted"][random.index(below: 3)]
    try disk.install("\(path).\(stage)", bytes(path))
    let isGone = random.chance(0.5)
    if isGone { try disk.remove(path) }
    note("\(path) \(isGone ? "renamed" : "copied") to .\(stage)")
  }

  private mutating func appendBytes() throws {
    try edit(logs.last) { bytes, random in
      let more = random.bytes(1 + random.index(below: 90))
      bytes += more
      return "\(more.count) bytes appended"
    }
  }

  private mutating func putDirectory() throws {
    guard let path = pick(inLogs.filter { !$0.hasSuffix(".log") }) else { return }
    try disk.remove(path)
    try disk.installDirectory(path)
    note("\(path) is a directory")
  }

  // MARK: Batches

  /// Where the batches begin, by their lengths alone.
  private func starts(_ bytes: [UInt8]) -> [Int] {
    var starts: [Int] = []
    var position = 0
    while position + 12 <= bytes.count {
      let length = bytes[position + 8..<position + 12].reduce(0) { $0 << 8 | Int($1) }
      guard length > 0, position + 12 + length <= bytes.count else { break }
      starts.append(position)
      position += 12 + length
    }
    return starts
  }

  /// A bit of what a batch's CRC does not cover: base offset, length, leader epoch, magic.
  private mutating func flipHeader() throws {
    let path = pick(logs)
    let starts = path.map { self.starts(bytes($0)) } ?? []
    try edit(path) { bytes, random in
      guard !starts.isEmpty else { return "has no batch" }
      let start = starts[random.index(below: starts.count)]
      let bit = random.index(below: 17 * 8)
      bytes[start + bit / 8] ^= 1 << UInt8(bit % 8)
      return "bit \(bit) of the batch at \(start)"
    }
  }

  private mutating func editBatches(
    _ what: String, _ change: (inout [[UInt8]], Int) -> Void
  ) throws {
    let path = pick(logs)
    let starts = path.map { self.starts(bytes($0)) } ?? []
    try edit(path) { bytes, random in
      guard !starts.isEmpty else { return "has no batch" }
      let ends = starts.dropFirst() + [bytes.count]
      var batches = zip(starts, ends).map { Array(bytes[$0..<$1]) }
      let index = random.index(below: batches.count)
      change(&batches, index)
      bytes = batches.flatMap { $0 }
      return "\(what), \(index)"
    }
  }

  // MARK: Small files

  /// A slot of the mark rotten or never written.
  private mutating func loseMarkSlot() throws {
    try edit(pick(inLogs.filter { $0.hasSuffix("/\(DurableMark.fileName)") })) { bytes, random in
      let start = random.index(below: DurableMark.slotCount) * DurableMark.slotBytes
      let end = min(bytes.count, start + DurableMark.slotBytes)
      guard start < end else { return "has no slot at \(start)" }
      let isRotten = random.chance(0.5)
      for index in start..<end {
        bytes[index] = isRotten ? UInt8(truncatingIfNeeded: random.next()) : 0
      }
      return "slot at \(start) \(isRotten ? "rotten" : "lost")"
    }
  }

  /// A checkpoint of the store that says another offset of a log.
  private mutating func forgeCheckpoint() throws {
    let name = random.chance(0.5) ? OffsetCheckpoint.Name.recoveryPoint : .logStart
    guard let log = pick(logs),
      case .log(let topicPartition) = LogDirectoryName(PathText.lastComponent(PathText.parent(log)))
    else { return }
    let bases = logs.compactMap { SegmentName(PathText.lastComponent($0))?.baseOffset }
    let offset = (bases.randomElement(using: &random) ?? 0) + Int64(random.index(below: 40))
    let line = "\(topicPartition.topic) \(topicPartition.partition) \(offset)"
    let path = "\(Self.store)/\(name.rawValue)"
    // A broker writes a new file.
    if disk.contents(of: path) != nil { try disk.remove(path) }
    try disk.install(path, Array("0\n1\n\(line)\n".utf8))
    note("\(path) says \(line)")
  }
}
