internal import DiskIO
internal import Logging
package import LogStore

/// Gives out producer ids, each once for the life of the store.
///
/// Ids are taken in blocks of 1,000, as in Kafka: the end of a block is made durable before its
/// first id is given out, so a crash wastes ids and never repeats one. May wait for the disk: call
/// it on a thread that may.
package final class ProducerIds: Sendable {
  /// The file's name in the store's directory; Kafka's brokers leave it alone.
  package static let fileName = "mkstore.producer-ids"
  /// Ids of one block.
  package static let blockCount: Int64 = 1000
  /// Nobody counts so far: an id from here on was made up by a client, and a file that says so is
  /// wrong. Below, there is always room for another block.
  package static let idLimit: Int64 = 1 << 62

  private struct State {
    var next: Int64
    var end: Int64
    /// Whether `next` is above every id that the logs know.
    var isAboveAll: Bool
  }

  private let disk: any Disk
  private let directory: String
  private let state: Locked<State>

  private let manager: LogManager

  /// Takes up the store's file. A store without one, such as a Kafka broker's directory, begins
  /// above every id that its logs know.
  package init(_ manager: LogManager) throws(ServerError) {
    self.manager = manager
    disk = manager.context.disk
    directory = manager.path
    let path = "\(manager.path)/\(Self.fileName)"
    let bytes: [UInt8]?
    do throws(CheckpointError) {
      bytes = try SmallFile.read(disk, path)
    } catch {
      throw .unreadable(path: path, reason: "\(error)")
    }
    guard let bytes else {
      state = Locked(State(next: 0, end: 0, isAboveAll: false))
      return
    }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    guard lines.count == 2, lines[0] == "version: 0", lines[1].hasPrefix("next_producer_id: "),
      let next = Int64(lines[1].dropFirst("next_producer_id: ".count)),
      (0...Self.idLimit).contains(next)
    else {
      throw .unreadable(
        path: path, reason: "expected 'version: 0' and 'next_producer_id: N', N up to 2^62")
    }
    state = Locked(State(next: next, end: next, isAboveAll: true))
  }

  /// An id that nobody has.
  ///
  /// - Durability: What keeps it from being given out again is durable when this returns.
  package func next() throws(LogError) -> Int64 {
    try state.withLock { (state) throws(LogError) in
      if state.next == state.end {
        if !state.isAboveAll {
          state.next = try largestKnownId() + 1
          state.isAboveAll = true
        }
        let end = state.next + Self.blockCount
        do throws(DiskError) {
          try SmallFile.writeAtomically(
            disk, directory: directory, name: Self.fileName,
            Array("version: 0\nnext_producer_id: \(end)\n".utf8))
        } catch {
          throw LogError(error)
        }
        state.end = end
      }
      defer { state.next += 1 }
      return state.next
    }
  }

  private func largestKnownId() throws(LogError) -> Int64 {
    var largest: Int64 = -1
    for log in manager.logs {
      largest = max(largest, try log.largestProducerId(below: Self.idLimit) ?? -1)
    }
    return largest
  }
}
