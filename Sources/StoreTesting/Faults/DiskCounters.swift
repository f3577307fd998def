public import DiskIO

/// The counts of a `SimulatedDisk` or `CountingDisk`.
///
/// ```swift
/// let before = disk.counters
/// // ... run the scenario ...
/// print("\(disk.counters.bytesRead - before.bytesRead) bytes read")
/// ```
public struct DiskCounters: Sendable, Equatable {
  /// Calls by operation, failed ones included. `.read` counts calls, not system calls.
  public var calls: [DiskError.Operation: Int] = [:]
  /// Bytes that `read` returned.
  public var bytesRead = 0
  /// The same by path.
  public var bytesReadByPath: [String: Int] = [:]
  /// Most bytes that one `read` returned, by path.
  public var largestReadByPath: [String: Int] = [:]
  /// Reads that failed because of unreadable bytes.
  public var unreadableReads = 0
  /// Bytes written by `write`.
  public var bytesWritten = 0
  /// Files open now.
  public var openFiles = 0
  /// Most files open at once.
  public var openFilesPeak = 0
  /// Mappings alive now.
  public var mappings = 0
  /// Most mappings alive at once.
  public var mappingsPeak = 0

  /// All counts zero.
  public init() {}

  /// Calls of all operations.
  public var callCount: Int { calls.values.reduce(0, +) }

  /// Calls that change something, which `FaultPlan` counts by default.
  public var changingCallCount: Int {
    calls.reduce(0) { $0 + ($1.key.isChanging ? $1.value : 0) }
  }

  mutating func count(_ operation: DiskError.Operation) {
    calls[operation, default: 0] += 1
  }

  mutating func countRead(_ bytes: Int, of path: String) {
    bytesRead += bytes
    bytesReadByPath[path, default: 0] += bytes
    largestReadByPath[path] = max(bytes, largestReadByPath[path] ?? 0)
  }

  mutating func countOpen() {
    openFiles += 1
    openFilesPeak = max(openFilesPeak, openFiles)
  }

  mutating func countMapping() {
    mappings += 1
    mappingsPeak = max(mappingsPeak, mappings)
  }
}
