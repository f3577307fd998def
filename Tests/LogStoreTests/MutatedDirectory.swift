import DiskIO
import StoreTesting

@testable import LogStore

/// A store's directory on a simulated disk, with one or two faults chosen by a seed: bits, cuts,
/// missing, swapped, zeroed and foreign files.
struct MutatedDirectory {
  /// Where the store is.
  static let store = "/data"

  let disk: SimulatedDisk
  /// What was done to it, for messages.
  private(set) var faults: [String] = []

  /// - Parameter files: Content by path, of a sound store.
  init(_ files: [String: [UInt8]], isKilled: Bool, seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var files = files
    let marker = "\(Self.store)/\(CleanShutdownFile.name)"
    files[marker] = isKilled ? nil : []
    for _ in 0..<(1 + random.index(below: 2)) {
      let fault = Fault.allCases[random.index(below: Fault.allCases.count)]
      faults.append(Self.apply(fault, &files, &random))
    }
    disk = SimulatedDisk(seed: seed)
    try disk.installDirectory(Self.store)
    // A mark is that of the log that it was written in; of every eighth one it is copied.
    let isCopy = seed % 8 == 7
    for (path, bytes) in files.sorted(by: { $0.key < $1.key }) {
      try disk.install(path, bytes, birth: isCopy ? nil : Self.birth(path, bytes))
    }
  }

  /// The file that a mark names.
  static func birth(_ path: String, _ bytes: [UInt8]) -> FileBirth? {
    guard path.hasSuffix(DurableMark.fileName) else { return nil }
    let slots = stride(from: 0, to: bytes.count, by: DurableMark.slotBytes).compactMap {
      MarkRecord(bytes.span.extracting($0..<min(bytes.count, $0 + DurableMark.slotBytes)))
    }
    return slots.max { $0.sequence < $1.sequence }?.birth
  }

  private enum Fault: CaseIterable {
    case bit, sideBit, cut, missing, swapped, zeroed, foreign, empty, staged, appended
  }

  private static func apply(
    _ fault: Fault, _ files: inout [String: [UInt8]], _ random: inout SeededGenerator
  ) -> String {
    let all = files.keys.sorted()
    let logs = all.filter { $0.hasSuffix(".log") && !files[$0]!.isEmpty }
    let inLog = all.filter { $0.split(separator: "/").count > 2 }
    guard !logs.isEmpty, !inLog.isEmpty else { return "nothing left to harm" }
    func pick(_ paths: [String]) -> String { paths[random.index(below: paths.count)] }
    switch fault {
    case .bit, .sideBit:
      let path = pick(fault == .bit ? logs : all.filter { !files[$0]!.isEmpty })
      let bit = random.index(below: files[path]!.count * 8)
      files[path]![bit / 8] ^= 1 << UInt8(bit % 8)
      return "bit \(bit) of \(path)"
    case .cut:
      let path = pick(random.chance(0.7) ? logs : inLog)
      let count = random.index(below: files[path]!.count + 1)
      files[path] = Array(files[path]!.prefix(count))
      return "\(path) cut to \(count)"
    case .missing:
      let path = pick(inLog)
      files[path] = nil
      return "\(path) missing"
    case .swapped:
      let (one, other) = (pick(inLog), pick(inLog))
      (files[one], files[other]) = (files[other], files[one])
      return "\(one) and \(other) swapped"
    case .zeroed:
      let path = pick(inLog)
      let count = files[path]!.count
      guard count > 0 else { return "\(path) is empty" }
      let start = random.index(below: count)
      let end = min(count, start + 1 + random.index(below: count))
      for index in start..<end { files[path]![index] = 0 }
      return "\(path) zeroed from \(start) to \(end)"
    case .foreign:
      let base = Int64(random.index(below: 120))
      let name = SegmentName(base, random.chance(0.6) ? .log : .index).fileName
      let path = "\(directory(of: logs[0]))/\(name)"
      files[path] = random.chance(0.5) ? Array("hello, world\n".utf8) : random.bytes(200)
      return "\(path) made of \(files[path]!.count) bytes"
    case .empty:
      let path = pick(logs)
      files[path] = []
      return "\(path) emptied"
    case .staged:
      let path = pick(logs)
      let stage = ["swap", "cleaned", "deleted"][random.index(below: 3)]
      files["\(path).\(stage)"] = files[path]
      if random.chance(0.5) { files[path] = nil }
      return "\(path) as .\(stage)"
    case .appended:
      let path = logs[logs.count - 1]
      let bytes = random.bytes(1 + random.index(below: 90))
      files[path]! += bytes
      return "\(bytes.count) bytes behind \(path)"
    }
  }

  private static func directory(of path: String) -> String { PathText.parent(path) }
}
