package import DiskIO

/// Removes what openings kept of a store's logs, or lists it: `recover --drop-kept`.
///
/// Opens no log, so it changes neither what is served nor what is reported as damaged or lost.
package struct KeptDataRemoval: Sendable {
  /// One log of the store.
  package struct Log: Sendable {
    package var name: TopicPartition
    package var path: String
    /// What was removed, or would be.
    package var removal: KeptData.Removal
  }

  /// Logs that have something kept, by name.
  package private(set) var logs: [Log] = []
  /// Logs that could not be examined, and why.
  package private(set) var failures: [String] = []
  /// Logs examined.
  package private(set) var logCount = 0

  /// - Parameters:
  ///   - only: The log; nil: all of the store's.
  ///   - isDryRun: Whether nothing is changed. No lock is needed then.
  /// - Throws: `.locked` if another process writes to the store; `.disk`.
  package init(
    store: String, only: TopicPartition?, isDryRun: Bool, disk: any Disk
  ) throws(LogError) {
    let lock = isDryRun ? nil : try StoreDirectory.lock(store, disk)
    defer { lock?.release() }
    do throws(DiskError) {
      let names = try LogDirectories(in: store, try disk.list(store), disk)
      if only == nil { failures = names.broken.map { "\($0.path): \($0.error)" } }
      for name in names.logs where only == nil || name == only {
        look(at: name, in: store, isDryRun: isDryRun, disk)
      }
    } catch {
      throw LogError(error)
    }
  }

  private mutating func look(
    at name: TopicPartition, in store: String, isDryRun: Bool, _ disk: any Disk
  ) {
    let path = "\(store)/\(name)"
    logCount += 1
    do throws(DiskError) {
      let data = try KeptData(of: LogDirectory(disk: disk, path: path))
      if data.isEmpty { return }
      logs.append(
        Log(name: name, path: path, removal: isDryRun ? data.foreseen : data.remove()))
    } catch {
      failures.append("\(error)")
    }
  }
}
