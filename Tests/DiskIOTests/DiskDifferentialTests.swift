import DiskIO
import Glibc
import StoreTesting
import Testing

/// The same random calls on both disks give the same answers, so that the twin cannot lie.
@Suite struct DiskDifferentialTests {
  @Test func bothDisksAnswerRandomCallsAlike() throws {
    let seed = Seed.fromEnvironment(else: 20_240_501)
    for round in 0..<40 {
      let directory = try TemporaryDirectory()
      defer { directory.remove() }
      let simulated = SimulatedDisk(seed: UInt64(round))
      try simulated.installDirectory(directory.path)
      var real = Player(PosixDisk(), directory.path, seed.derived(round))
      var twin = Player(simulated, directory.path, seed.derived(round))
      for step in 0..<150 {
        let (expected, found) = (real.step(), twin.step())
        try #require(found == expected, "\(seed), round \(round), step \(step)")
      }
      #expect(try real.tree(directory.path) == twin.tree(directory.path), "\(seed), round \(round)")
    }
  }

  /// Makes random calls and tells each call and its answer as text.
  struct Player {
    let disk: any Disk
    let base: String
    var random: SeededGenerator
    var files: [any DiskFile] = []

    init(_ disk: any Disk, _ base: String, _ seed: Seed) {
      self.disk = disk
      self.base = base
      random = seed.generator
    }

    mutating func step() -> String {
      let call = random.index(below: 18)
      let (path, other) = (self.path(), self.path())
      let position = random.index(below: 3) * 4_096 + random.index(below: 600)
      let bytes = random.bytes(random.index(below: 5_000))
      let file = files.isEmpty ? nil : files[random.index(below: files.count)]
      do throws(DiskError) {
        let answer = try play(call, path, other, file, position, bytes)
        return "\(call) \(path) \(other) \(position): \(answer)"
      } catch {
        return "\(call) \(path) \(other) \(position): \(error.operation) \(error.code)"
      }
    }

    /// One of few names, some of them below others.
    private mutating func path() -> String {
      let names = ["a", "b", "c", "d", "d/a", "d/b", "e", "e/d", "e/d/a", "a/a"]
      return "\(base)/\(names[random.index(below: names.count)])"
    }

    private mutating func play(
      _ call: Int, _ path: String, _ other: String, _ file: (any DiskFile)?, _ position: Int,
      _ bytes: [UInt8]
    ) throws(DiskError) -> String {
      switch call {
      case 0, 1: files.append(try disk.open(path, .create))
      case 2: files.append(try disk.open(path, .read))
      case 3: files.append(try disk.open(path, .readWrite))
      case 4: if !files.isEmpty { files.removeFirst() }
      case 5: try disk.makeDirectory(path)
      case 6: try disk.remove(path)
      case 7: try disk.removeDirectory(path)
      case 8, 9: try disk.rename(path, to: other)
      case 10: return try disk.names(path).joined(separator: " ")
      case 11:
        let status = try disk.status(path)
        return "\(status.map { "\($0.kind) \($0.size)" } ?? "nothing")"
      case 12, 13: try file?.write(bytes, at: position)
      case 14: try file?.truncate(to: position)
      case 15: try file?.allocate(to: position)
      case 16: try file?.sync()
      default: return "\(try file?.contents() ?? [])"
      }
      return "done"
    }

    /// Everything below `path`, as text.
    func tree(_ path: String) throws -> [String] {
      var lines: [String] = []
      for entry in try disk.list(path).sorted(by: { $0.name < $1.name }) {
        let child = "\(path)/\(entry.name)"
        if entry.kind == .directory {
          lines += ["\(child)/"] + (try tree(child))
        } else {
          lines.append("\(child) \(try disk.contents(child))")
        }
      }
      return lines
    }
  }
}
