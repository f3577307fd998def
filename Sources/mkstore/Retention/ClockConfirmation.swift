import DiskIO
import LogStore

/// Records in a store's directory that this machine's clock is right.
struct ClockConfirmation {
  private let store: StoreLocation

  init(_ store: StoreLocation) { self.store = store }

  /// Writes the current time to the store's session file, which a waiting server reads.
  func run() throws(CommandFailure) {
    let disk = PosixDisk()
    let found: StoreSession?
    do throws(CheckpointError) {
      found = try StoreSession.read(disk, directory: store.path)
    } catch {
      throw CommandFailure(error)
    }
    guard var session = found else {
      throw .failure(
        "\(store.path) has no \(StoreSession.name): no retention policy was decided on there, so "
          + "nothing waits for the clock")
    }
    session.wallMs = WallClock.nowMs()
    let confirmed = session
    try withDiskErrors { () throws(DiskError) in
      try confirmed.write(disk, directory: store.path)
    }
    Messages.say("the clock counts as right at \(RFC3339.text(session.wallMs))")
  }
}
