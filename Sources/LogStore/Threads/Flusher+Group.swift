/// Flushing several logs with one sync.
extension Flusher {
  /// Flushes logs that were taken from the queue, with one sync for all that it can serve.
  ///
  /// - Returns: Those that must be flushed individually.
  func flushTogether(_ clients: [any Client], by group: GroupSync) -> [any Client] {
    var members: [any Client] = []
    var others: [any Client] = []
    var bytes = 0
    for client in clients {
      switch client.beginSharedFlush(by: group) {
      case .begun(let byteCount):
        members.append(client)
        bytes += byteCount
      case .idle: finish([client])
      case .alone: others.append(client)
      }
    }
    guard members.count > 1, group.mayRun(ownBytes: bytes) else {
      for client in members { client.abandonSharedFlush() }
      return others + members
    }
    // A flush with an error has ended and is not continued.
    let written = members.filter { $0.writeSharedFlush() }
    let isSynced = !written.isEmpty && group.run(logCount: written.count)
    for client in written { client.endSharedFlush(isSynced: isSynced) }
    finish(members)
    return others
  }
}
