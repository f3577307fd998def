internal import DiskIO
package import LogStore
package import Logging

/// Assigns producer ids, each once for the life of the store.
///
/// Ids count up from a random number far above those of a broker, and above all ids that the
/// store's logs contain (docs/decisions/0015-random-producer-ids.md). They are taken in blocks of
/// 1,000, as in Kafka: the end of a block is made durable before its first id is assigned, so a
/// crash wastes ids and never repeats one. May wait for the disk: call it on a thread that may
/// block.
package final class ProducerIds: Sendable {
  /// Ids of one block.
  package static let blockCount: Int64 = 1000

  private struct State {
    /// The id that is assigned next; nil if a first one must be chosen.
    var next: Int64?
    /// End of the block that was made durable.
    var end: Int64 = 0
    /// Whether the logs' snapshots were read in this session.
    var hasAskedSnapshots = false
    /// Whether the file is unusable.
    var isFileUnreadable = false
    var generator: any RandomNumberGenerator & Sendable
  }

  private let manager: Store
  private let logger: Logger
  private let state: Locked<State>

  private var disk: any Disk { manager.context.disk }

  /// Reads the store's file. Without one, or if it is unusable, ids begin at a new random number.
  ///
  /// - Parameter generator: Source of random numbers.
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
        "the file of producer ids cannot be used; ids continue from a new random number",
        metadata: ["error": "\(error)"])
    }
    self.state = Locked(state)
  }

  /// Replaces an unusable file; any other is left unchanged.
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

  /// A new, unique id.
  ///
  /// - Durability: When this returns, what prevents its reuse is durable.
  package func next() throws(LogError) -> Int64 {
    try state.withLock { (state) throws(LogError) in
      choosePlace(&state)
      let next = state.next!
      if next == state.end { try write(&state, end: next + Self.blockCount) }
      state.next = next + 1
      return next
    }
  }

  /// Makes sure that `next` is an id that no log contains, with room for a block above it.
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
    // Not just the next id above: the other store that the log came from may count there.
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

  /// Renames a directory that has the file's name, because no file can replace it.
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
