internal import DiskIO
package import LogStore
package import Logging

/// Gives out producer ids, each once for the life of the store.
///
/// Ids count on from a random place far above those of a broker, and above all that the store's
/// logs told of (docs/decisions/0015-random-producer-ids.md). They are taken in blocks of 1,000, as
/// in Kafka: the end of a block is made durable before its first id is given out, so a crash wastes
/// ids and never repeats one. May wait for the disk: call it on a thread that may.
package final class ProducerIds: Sendable {
  /// Ids of one block.
  package static let blockCount: Int64 = 1000

  private struct State {
    /// The id that is given out next; nil where a place must be chosen first.
    var next: Int64?
    /// End of the block that was made durable.
    var end: Int64 = 0
    /// Whether the logs' snapshots were asked in this session.
    var hasAskedSnapshots = false
    /// Whether the file cannot be used as it is.
    var isFileUnreadable = false
    var generator: any RandomNumberGenerator & Sendable
  }

  private let manager: Store
  private let logger: Logger
  private let state: Locked<State>

  private var disk: any Disk { manager.context.disk }

  /// Takes up the store's file. Without one, or where it cannot be used, ids begin at a new place.
  ///
  /// - Parameter generator: Where the places come from.
  package init(
    _ manager: Store, logger: Logger,
    using generator: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
  ) {
    self.manager = manager
    self.logger = logger
    var state = State(generator: generator)
    do throws(CheckpointError) {
      let file = try ProducerIdsFile.read(manager.context.disk, directory: manager.path)
      state.next = file?.nextProducerId
      state.end = state.next ?? 0
    } catch {
      state.isFileUnreadable = true
      logger.warning(
        "the file of producer ids cannot be used; ids go on at a new random place",
        metadata: ["error": "\(error)"])
    }
    self.state = Locked(state)
  }

  /// Replaces a file that cannot be used; any other is left as it is.
  ///
  /// - Returns: Whether it was replaced, durably.
  package func mendFile() throws(LogError) -> Bool {
    try state.withLock { (state) throws(LogError) in
      guard state.isFileUnreadable else { return false }
      choosePlace(&state)
      try write(&state, end: state.next!)
      return true
    }
  }

  /// An id that nobody has.
  ///
  /// - Durability: What keeps it from being given out again is durable when this returns.
  package func next() throws(LogError) -> Int64 {
    try state.withLock { (state) throws(LogError) in
      choosePlace(&state)
      let next = state.next!
      if next == state.end { try write(&state, end: next + Self.blockCount) }
      state.next = next + 1
      return next
    }
  }

  /// Makes sure that `next` is an id that no log told of, with room for a block above it.
  private func choosePlace(_ state: inout State) {
    if !state.hasAskedSnapshots {
      for log in manager.logs { log.producers.noteSnapshotIds() }
      state.hasAskedSnapshots = true
    }
    let told = manager.context.knownProducerIds.take()
    if let next = state.next, told < next,
      next < state.end || next <= ProducerIdRange.limit - Self.blockCount
    {
      return
    }
    // Not just the next id above: another store may count there, where the log came from.
    let place = ProducerIdRange.place(
      above: max(told, state.next ?? -1), using: &state.generator)
    (state.next, state.end) = (place, place)
  }

  private func write(_ state: inout State, end: Int64) throws(LogError) {
    do throws(DiskError) {
      if state.isFileUnreadable { try setAside() }
      try ProducerIdsFile(nextProducerId: end).write(disk, directory: manager.path)
    } catch {
      throw LogError(error)
    }
    state.end = end
    state.isFileUnreadable = false
  }

  /// Gives another name to a directory that has the file's, for no file can take its place.
  private func setAside() throws(DiskError) {
    let path = "\(manager.path)/\(ProducerIdsFile.name)"
    guard try disk.status(path)?.kind == .directory else { return }
    var aside = "\(path).unreadable"
    var number = 2
    while try disk.status(aside) != nil {
      aside = "\(path).unreadable-\(number)"
      number += 1
    }
    try disk.rename(path, to: aside)
    logger.warning(
      "a directory had the name of the file of producer ids and was renamed",
      metadata: ["directory": "\(aside)"])
  }
}
