import LogStore
public import Logging

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
/// Both closures may be `async` and use tasks and actors; `Examples/PowerCuts` does.
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
  /// What stores and logs log to that the scenario and the check open without a logger. Silent
  /// unless set: at each cut the engine would complain.
  public var logger: Logger

  /// Memberwise.
  public init(
    exhaustiveMax: Int = 10, samples: Int = 1_000, damaged: Int = 8, seed: Seed = Seed(0),
    logger: Logger = Logger(label: "mkstore", factory: { _ in SwiftLogNoOpLogHandler() })
  ) {
    self.exhaustiveMax = exhaustiveMax
    self.samples = samples
    self.damaged = damaged
    self.seed = seed
    self.logger = logger
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
    try DefaultLogger.$ofTask.withValue(logger) {
      var outcomes = 0
      var operation = 1
      while true {
        let disk = try makeDisk()
        disk.plan(.powerCut(at: operation))
        let result = try scenario(disk)
        for point in points(of: disk, cutAt: operation) {
          outcomes += 1
          try check(disk.crash(point.mode), result, point)
        }
        guard disk.isCut else { return (operation, outcomes) }
        operation += 1
      }
    }
  }

  /// The same for a scenario of tasks and actors, and a check that may await.
  ///
  /// Tasks take turns differently in each run, so a point alone does not replay what was found;
  /// every point is a moment at which the power may fail all the same.
  ///
  /// - Parameters:
  ///   - makeDisk: A disk as the scenario finds it; what made it so is not cut.
  ///   - scenario: Must end, with all of its tasks, once calls throw. What it returns is given to
  ///     `check`.
  ///   - check: Called for each outcome with a disk after the cut.
  ///   - isolation: The caller's; the closures run there.
  /// - Returns: How many cuts and how many outcomes were looked at.
  @discardableResult
  public func run<Result>(
    on makeDisk: () async throws -> SimulatedDisk,
    scenario: (SimulatedDisk) async throws -> Result,
    check: (SimulatedDisk, Result, Point) async throws -> Void,
    isolation: isolated (any Actor)? = #isolation
  ) async throws -> (cuts: Int, outcomes: Int) {
    try await DefaultLogger.$ofTask.withValue(logger) {
      var outcomes = 0
      var operation = 1
      while true {
        let disk = try await makeDisk()
        disk.plan(.powerCut(at: operation))
        let result = try await scenario(disk)
        // Threads of a store that was not cut may go on while the outcomes are looked at.
        let moment = SimulatedDisk(disk.state.withLock { $0.withoutMappings })
        for point in points(of: moment, cutAt: operation) {
          outcomes += 1
          try await check(moment.crash(point.mode), result, point)
        }
        guard moment.isCut else { return (operation, outcomes) }
        operation += 1
      }
    }
  }

  /// The outcomes to look at.
  private func points(of disk: SimulatedDisk, cutAt operation: Int) -> [Point] {
    disk.crashes(
      exhaustiveMax: exhaustiveMax, samples: samples, damaged: damaged,
      seed: seed.derived(operation).value
    ).map { Point(operation: operation, mode: $0) }
  }
}
