internal import DiskIO

/// Which retention policies of a store count: those that were set since the last session of a
/// broker in its directory. A broker stores topics' settings elsewhere, so records that it wrote
/// are not deleted until a policy is confirmed.
///
/// Owns the store's `mkstore.session`. Any thread.
final class RetentionPolicies: Sendable {
  private let disk: any Disk
  private let directory: String
  private let state = Locked(State())

  private struct State {
    /// Its content on disk, or to be written; nil: no policy was ever set.
    var session: StoreSession?
    /// Whether it must be written before other evidence of a broker's session is removed.
    var isUnwritten = false
  }

  init(_ disk: any Disk, directory: String) {
    self.disk = disk
    self.directory = directory
  }

  /// Reads what is on disk.
  ///
  /// - Returns: What is wrong with the file; it is then replaced, and no policy counts.
  func load(nowMs: Int64) throws(DiskError) -> CheckpointError? {
    do throws(CheckpointError) {
      let found = try StoreSession.read(disk, directory: directory)
      state.withLock { $0.session = found }
      return nil
    } catch {
      if case .disk(let refused) = error, !refused.isUnreadableSector { throw refused }
      renew(nowMs: nowMs)
      return error
    }
  }

  /// The id under which policies count; nil if none was ever set.
  var session: UInt64? { state.withLock { $0.session?.policySession } }

  /// The wall time that was stored last, milliseconds since 1970 UTC.
  var keptWallMs: Int64? { state.withLock { $0.session?.wallMs } }

  /// Whether a policy that was set in `session` counts.
  func counts(_ session: UInt64?) -> Bool {
    guard let session else { return false }
    return session == self.session
  }

  /// A broker had the directory: no earlier policy counts any more. Does nothing if there is none.
  func forgetAll(nowMs: Int64) {
    if session != nil { renew(nowMs: nowMs) }
  }

  private func renew(nowMs: Int64) {
    var generator = SystemRandomNumberGenerator()
    let fresh = StoreSession(policySession: generator.next(), wallMs: nowMs)
    state.withLock { state in
      state.session = fresh
      state.isUnwritten = true
    }
  }

  /// The id for a policy that is set now; the first one makes the file.
  func sessionForPolicy(nowMs: Int64) throws(DiskError) -> UInt64 {
    if session == nil { renew(nowMs: nowMs) }
    try writeIfNeeded()
    return session ?? 0
  }

  /// Writes what an opening found, durably; call it before any checkpoint, which hides the evidence
  /// of a broker.
  func writeIfNeeded() throws(DiskError) {
    try state.withLock { (state) throws(DiskError) in
      guard state.isUnwritten, let session = state.session else { return }
      try session.write(disk, directory: directory)
      state.isUnwritten = false
    }
  }

  /// Stores the wall time, if there is a file.
  func note(wallMs: Int64) throws(DiskError) {
    try state.withLock { (state) throws(DiskError) in
      guard var session = state.session else { return }
      session.wallMs = wallMs
      try session.write(disk, directory: directory)
      state.session = session
      state.isUnwritten = false
    }
  }

  /// Whether another process wrote another wall time into the file: the clock is confirmed.
  func isClockConfirmed() -> Bool {
    guard let kept = keptWallMs else { return false }
    do throws(CheckpointError) {
      guard let found = try StoreSession.read(disk, directory: directory) else { return false }
      return found.wallMs != kept
    } catch {
      return false
    }
  }
}
