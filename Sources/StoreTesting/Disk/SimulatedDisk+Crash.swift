public import DiskIO
import LogStore

/// Power cuts and killed processes. None of these changes the original disk: many outcomes can be
/// taken from the same moment, and old handles keep working on the old disk.
extension SimulatedDisk {
  /// A possible disk after a power cut now; a random outcome, the same for one seed.
  public func crash(seed: UInt64) -> SimulatedDisk {
    crash(.random(seed: seed))
  }

  /// The disk after a power cut now with the given outcome. Open files, mappings, locks, faults and
  /// counters are gone; the capacity limit stays.
  public func crash(_ mode: CrashMode) -> SimulatedDisk {
    SimulatedDisk(state.withLock { $0 }.crashed(mode))
  }

  /// The disk for the next process if this one is killed now: all live content, synced or not (it
  /// is still not durable), the same `bootIdentifier`, no locks.
  public func kill() -> SimulatedDisk {
    let now = state.withLock { $0 }
    precondition(!now.isCut, "kill after a power cut: use crash")
    return SimulatedDisk(now.killed())
  }

  /// Outcomes worth trying for a power cut now.
  ///
  /// - Parameters:
  ///   - exhaustiveMax: If there are at most this many unsynced items, every subset of them is
  ///     tried.
  ///   - samples: Random outcomes if there are more.
  ///   - damaged: Random outcomes, with torn and garbage sectors, in addition to all subsets.
  ///   - seed: Starts the random outcomes.
  public func crashes(
    exhaustiveMax: Int = 10, samples: Int = 1_000, damaged: Int = 8, seed: UInt64 = 0
  ) -> [CrashMode] {
    let count = unsyncedItems.count
    if count == 0 { return [.loseAllUnsynced] }
    var random = SeededGenerator(seed: seed)
    if count <= min(exhaustiveMax, 63) {
      let subsets = (0..<(1 << UInt64(count))).map { CrashMode.choices($0) }
      return subsets + (0..<damaged).map { _ in .random(seed: random.next()) }
    }
    return [.loseAllUnsynced, .keepAll]
      + (0..<samples).map { _ in .random(seed: random.next()) }
  }

  /// What a power cut now could keep or lose, in a fixed order. Empty: everything is durable.
  public var unsyncedItems: [UnsyncedItem] { state.withLock { $0 }.unsyncedItems() }

  /// Changes of names in `directory` that are not durable, as `operation path`.
  public func unsyncedNames(in directory: String) throws(DiskError) -> [String] {
    try state.withLock { state throws(DiskError) in
      let id = try state.require(.list, directory)
      return state.pending.filter { $0.steps.contains { $0.directory == id } }.map(\.text)
    }
  }

  /// Bytes of a file that are not durable: changed sectors, or 1 if only the size differs.
  public func unsyncedBytes(of path: String) throws(DiskError) -> Int {
    try state.withLock { state throws(DiskError) in
      let inode = state.inodes[try state.require(.size, path)]!
      let (live, durable) = (inode.content, inode.durable)
      let sectors = live.sectorsDiffering(from: durable).count
      return sectors > 0 ? sectors * PagedBytes.sectorBytes : live.size == durable.size ? 0 : 1
    }
  }
}
