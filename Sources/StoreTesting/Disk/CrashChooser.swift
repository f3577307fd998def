/// Decides item by item, in the order of `SimulatedDisk.unsyncedItems`, what a power cut keeps.
struct CrashChooser {
  /// What happens to a sector.
  enum Sector {
    case new, old, torn, zeros, garbage
  }

  private let mode: CrashMode
  private var index = 0
  private var random: SeededGenerator
  // The probability, per crash, so that some crashes lose little and others nearly everything.
  private let keepsName: Double
  private let keepsSize: Double
  private let keepsSector: Double
  private let damages: Double

  init(_ mode: CrashMode) {
    self.mode = mode
    if case .random(let seed) = mode {
      random = SeededGenerator(seed: seed)
    } else {
      random = SeededGenerator(seed: 0)
    }
    let likelihoods = [0, 0.1, 0.5, 0.9, 1]
    keepsName = likelihoods[random.index(below: likelihoods.count)]
    keepsSize = likelihoods[random.index(below: likelihoods.count)]
    keepsSector = likelihoods[random.index(below: likelihoods.count)]
    damages = [0, 0.05, 0.5][random.index(below: 3)]
  }

  /// Whether a change of a name is kept.
  mutating func name() -> Bool { keeps(keepsName) }

  /// The size of a file whose size was changed.
  mutating func size(durable: Int, live: Int) -> Int {
    let isKept = keeps(keepsSize)
    if case .random = mode, random.chance(0.25), durable < live {
      // It may have grown in several steps, of which some were kept: choose any sector boundary
      // between.
      let sectors = (live - durable) / PagedBytes.sectorBytes
      let grown = durable + random.index(below: sectors + 1) * PagedBytes.sectorBytes
      return max(durable, grown - grown % PagedBytes.sectorBytes)
    }
    return isKept ? live : durable
  }

  /// What happens to a sector.
  mutating func sector() -> Sector {
    let isKept = keeps(keepsSector)
    if case .random = mode, random.chance(damages) {
      return [.torn, .zeros, .garbage][random.index(below: 3)]
    }
    return isKept ? .new : .old
  }

  /// The sector after the cut.
  mutating func bytes(old: ArraySlice<UInt8>, new: ArraySlice<UInt8>) -> [UInt8] {
    let (old, new) = (Array(old), Array(new))
    let outcome = sector()
    guard
      let first = old.indices.first(where: { old[$0] != new[$0] }),
      let last = old.indices.last(where: { old[$0] != new[$0] })
    else { return new }
    let count = last + 1 - first
    var result = old
    switch outcome {
    case .old: break
    case .new: result = new
    case .torn:
      let end = first + random.index(below: count)
      result.replaceSubrange(first..<end, with: new[first..<end])
    case .zeros: result.replaceSubrange(first...last, with: PagedBytes.zeroPage.prefix(count))
    case .garbage: result.replaceSubrange(first...last, with: random.bytes(count))
    }
    return result
  }

  private mutating func keeps(_ likelihood: Double) -> Bool {
    defer { index += 1 }
    switch mode {
    case .loseAllUnsynced: return false
    case .keepAll: return true
    case .choices(let bits): return index < 64 && (bits >> UInt64(index)) & 1 == 1
    case .random: return random.chance(likelihood)
    }
  }
}
