/// Cuts the power at every changing operation of a scenario and looks at every outcome.
///
/// ```swift
/// let tried = try PowerCutLoop().run(on: { SimulatedDisk() }) { disk in
///   appendUntilItThrows(disk)                     // returns what was acknowledged
/// } check: { disk, acknowledged, point in
///   #expect(try open(disk).contains(acknowledged), "\(point)")
/// }
/// ```
///
/// `check` may open and change the disk it is given, and cut *its* power too: a crash in recovery.
public struct PowerCutLoop: Sendable {
  /// One outcome of one cut.
  public struct Point: Sendable, CustomStringConvertible {
    /// The changing operation that the cut came before, counted from 1 at the scenario's start;
    /// one more than there are for the cut after the last.
    public var operation: Int
    /// What the cut kept.
    public var mode: CrashMode

    /// Ready to be pasted into a regression test.
    public var description: String { ".powerCut(at: \(operation)), \(mode)" }
  }

  /// With at most so many unsynced items at the cut, every subset of them is tried.
  public var exhaustiveMax: Int
  /// Random outcomes per cut where there are more.
  public var samples: Int
  /// Random outcomes per cut, with torn and garbage sectors, in addition to all subsets.
  public var damaged: Int
  /// Starts the random outcomes.
  public var seed: Seed

  /// Memberwise.
  public init(
    exhaustiveMax: Int = 10, samples: Int = 1_000, damaged: Int = 8, seed: Seed = Seed(0)
  ) {
    self.exhaustiveMax = exhaustiveMax
    self.samples = samples
    self.damaged = damaged
    self.seed = seed
  }

  /// Runs `scenario` on a fresh disk once per operation it makes, and once to its end.
  ///
  /// - Parameters:
  ///   - makeDisk: A disk as the scenario finds it; what made it so is not cut.
  ///   - scenario: Must end by itself once calls throw, and must be the same in each run. What it
  ///     returns is given to `check`.
  ///   - check: Called for each outcome with a disk after the cut.
  /// - Returns: How many cuts and how many outcomes were looked at.
  @discardableResult
  public func run<Result>(
    on makeDisk: () throws -> SimulatedDisk,
    scenario: (SimulatedDisk) throws -> Result,
    check: (SimulatedDisk, Result, Point) throws -> Void
  ) rethrows -> (cuts: Int, outcomes: Int) {
    var outcomes = 0
    var operation = 1
    while true {
      let disk = try makeDisk()
      disk.plan(.powerCut(at: operation))
      let result = try scenario(disk)
      let modes = disk.crashes(
        exhaustiveMax: exhaustiveMax, samples: samples, damaged: damaged,
        seed: seed.derived(operation).value)
      for mode in modes {
        try check(disk.crash(mode), result, Point(operation: operation, mode: mode))
      }
      outcomes += modes.count
      guard disk.isCut else { return (operation, outcomes) }
      operation += 1
    }
  }
}
