/// Which unsynced items a power cut keeps, see `SimulatedDisk.crash`.
///
/// ```swift
/// let worst = disk.crash(.loseAllUnsynced)
/// let some = disk.crash(.random(seed: 7))  // the same disk each time
/// ```
public enum CrashMode: Sendable, Hashable, CustomStringConvertible {
  /// Exactly the durable image.
  case loseAllUnsynced
  /// As if everything had been synced just before.
  case keepAll
  /// Bit i says whether item i of `SimulatedDisk.unsyncedItems` is kept; items from 64 on are lost.
  /// What is not kept is old; nothing is torn or garbage.
  case choices(UInt64)
  /// Kept, lost, torn or garbage at random; how much of each differs from seed to seed.
  case random(seed: UInt64)

  /// Ready to be pasted into a regression test.
  public var description: String {
    switch self {
    case .loseAllUnsynced: ".loseAllUnsynced"
    case .keepAll: ".keepAll"
    case .choices(let bits): ".choices(0b\(String(bits, radix: 2)))"
    case .random(let seed): ".random(seed: \(seed))"
    }
  }
}
