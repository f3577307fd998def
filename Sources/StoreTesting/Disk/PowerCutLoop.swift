import LogStore
public import Logging

/// Cuts the power at every changing operation of a scenario and checks every outcome.
///
/// ```swift
/// let tried = try PowerCutLoop().run(on: { SimulatedDisk() }) { disk in
///   appendUntilItThrows(disk)                     // returns what was acknowledged
/// } check: { disk, acknowledged, point in
///   #expect(try open(disk).contains(acknowledged), "\(point)")
/// }
/// ```
///
/// `check` may open and change the disk it gets, and cut *its* power too: a crash in recovery. Both
/// closures may be `async` and use tasks and actors; `Examples/PowerCuts` does.
public struct PowerCutLoop: Sendable {
  /// One outcome of one cut.
  public struct Point: Sendable, CustomStringConvertible {
    /// The changing operation before which the power was cut, counted from 1 at the scenario's
    /// start; one more than their number for the cut after the last.
    public var operation: Int
    /// What the cut kept.
    public var mode: CrashMode

    /// Ready to be pasted into a regression test.
    public var description: String { ".powerCut(at: \(operation)), \(mode)" }
  }

  /// If there are at most this many unsynced items at the cut, every subset of them is tried.
  public var exhaustiveMax: Int
  /// Random outcomes per cut if there are more.
  public var samples: Int
  /// Random outcomes per cut, with torn and garbage sectors, in addition to all subsets.
  public var damaged: Int
  /// Starts the random outcomes.
  public var seed: Seed
  /// Logger of stores and logs that the scenario and the check open without one. Silent by default:
  /// at each cut the engine would log errors.
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
  ///   - makeDisk: The scenario's initial disk; what was done to it before is not cut.
  ///   - scenario: Must end by itself once calls throw, and must be the same in each run. Its
  ///     result is passed to `check`.
  ///   - check: Called for each outcome with a disk after the cut.
  /// - Returns: How many cuts and how many outcomes were checked.
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
  /// Tasks take turns differently in each run, so a point alone does not replay a failure; but at
  /// every point the power may fail.
  ///
  /// - Parameters:
  ///   - makeDisk: The scenario's initial disk; what was done to it before is not cut.
  ///   - scenario: Must end, with all of its tasks, once calls throw. Its result is passed to
  ///     `check`.
  ///   - check: Called for each outcome with a disk after the cut.
  ///   - isolation: The caller's; the closures run there.
  /// - Returns: How many cuts and how many outcomes were checked.
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
        // Threads of a store that was not cut may continue while the outcomes are checked.
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

  /// The outcomes to check.
  private func points(of disk: SimulatedDisk, cutAt operation: Int) -> [Point] {
    disk.crashes(
      exhaustiveMax: exhaustiveMax, samples: samples, damaged: damaged,
      seed: seed.derived(operation).value
    ).map { Point(operation: operation, mode: $0) }
  }
}
