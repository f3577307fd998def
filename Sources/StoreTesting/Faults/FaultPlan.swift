public import DiskIO

/// One fault of a `SimulatedDisk`, once or from some point on.
///
/// ```swift
/// disk.plan(.error(EIO, at: 3))  // the third call that changes something
/// disk.plan(FaultPlan(.error(ENOSPC), at: 1, isForEver: true, operations: [.write]))
/// ```
///
/// The method (SQLite's): run the scenario with the fault at operation 1, then 2, and so on until a
/// run ends with `faultsFired == 0`; after each run check the invariants. A test whose fault never
/// fired proves nothing, so check that too.
public struct FaultPlan: Sendable {
  /// What happens.
  public enum Fault: Sendable, Equatable {
    /// The call fails with this errno and changes nothing, except `sync`, `writeOut` and
    /// `syncDirectory`: what they would have made durable is then marked clean without being so
    /// (fsyncgate), and no later sync writes it unless it is written again. A failing shared sync
    /// does that to some files, at random; their own `sync` then fails once. So does a `startSync`,
    /// whose error the next `sync` throws. A question that may have no answer (`residency`, names,
    /// holes) has none.
    case error(Int32)
    /// A `write` puts a prefix into the file (`bytes`, or a random length if nil) and then fails
    /// with this errno. For any other operation the same as `error`.
    case shortWrite(Int32, bytes: Int?)
    /// The power fails just before the operation: from then on every call throws `EIO` and stores
    /// through mappings have no effect. Continue with `crash`.
    case powerCut
  }

  /// What happens.
  public var fault: Fault
  /// Which of the matching operations fails, counted from 1.
  public var occurrence: Int
  /// Whether every later matching operation fails too.
  public var isForEver: Bool
  /// Operations that count; nil: all that change something (`SimulatedDisk.operationCount`).
  public var operations: Set<DiskError.Operation>?
  /// Only paths with this ending count; nil: all.
  public var pathSuffix: String?

  /// Memberwise.
  public init(
    _ fault: Fault, at occurrence: Int, isForEver: Bool = false,
    operations: Set<DiskError.Operation>? = nil, pathSuffix: String? = nil
  ) {
    precondition(occurrence >= 1, "occurrence \(occurrence)")
    self.fault = fault
    self.occurrence = occurrence
    self.isForEver = isForEver
    self.operations = operations
    self.pathSuffix = pathSuffix
  }

  /// The `occurrence`-th changing operation fails with `code`.
  public static func error(_ code: Int32, at occurrence: Int) -> FaultPlan {
    FaultPlan(.error(code), at: occurrence)
  }

  /// The power fails before the `occurrence`-th changing operation.
  public static func powerCut(at occurrence: Int) -> FaultPlan {
    FaultPlan(.powerCut, at: occurrence)
  }

  /// Whether the operation counts for this plan.
  func matches(_ operation: DiskError.Operation, _ path: String) -> Bool {
    if let operations, !operations.contains(operation) { return false }
    if operations == nil, !operation.isChanging { return false }
    if let pathSuffix, !path.hasSuffix(pathSuffix) { return false }
    return true
  }
}

extension DiskError.Operation {
  /// Whether the operation changes the disk, or its durable state.
  public var isChanging: Bool {
    switch self {
    case .create, .makeDirectory, .rename, .remove, .removeDirectory, .syncDirectory, .lock, .write,
      .truncate, .allocate, .sync, .syncFileSystem, .writeOut:
      true
    case .open, .status, .list, .availableBytes, .read, .size, .map, .send, .access,
      .checkWritten, .abandon, .startSync, .residency, .advise, .names, .firstHole:
      false
    }
  }

  /// Whether its error means that something may never become durable.
  var isSync: Bool {
    switch self {
    case .sync, .syncDirectory, .syncFileSystem, .writeOut, .checkWritten, .startSync: true
    default: false
    }
  }

  /// All operations, for a plan that also applies to those that only read.
  public static let all: Set<DiskError.Operation> = Set(DiskError.Operation.allCases)
}
