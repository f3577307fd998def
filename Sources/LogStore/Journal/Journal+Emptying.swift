internal import DiskIO
internal import Logging

/// Syncing the logs' own files, so that the journal's room can be used again.
extension Journal {
  /// Syncs the own files of every log that the journal holds something of.
  func syncAll() { sync(state.withLock { $0.ring?.waitedFor(by: nil) ?? [] }) }

  /// The logs that keep some files from being used again.
  func waitedFor(by files: [Int]) -> [any JournalClient] {
    state.withLock { state in files.isEmpty ? [] : state.ring?.waitedFor(by: files) ?? [] }
  }

  /// Syncs the own files of these logs, by one sync if they are many, and keeps the entries of
  /// those that failed.
  func sync(_ clients: [any JournalClient]) {
    let begun = clients.compactMap { client in client.beginOwnSync().map { (client, $0) } }
    var isShared = false
    if let group = context.group, begun.count >= group.logCountMin,
      group.mayRun(ownBytes: settings.filesMax * settings.fileBytes)
    {
      isShared = group.run(logCount: begun.count)
    }
    for (client, sync) in begun { client.endOwnSync(sync, isSynced: isShared) }
    for client in clients where client.isFailed { setAsideOrLog(client) }
  }

  /// Keeps what a failed log has in the journal in a file of its own, so that the room can be used
  /// again.
  func setAside(_ client: any JournalClient) throws(DiskError) {
    guard state.withLock({ $0.ring?.holds(client) ?? false }) else { return }
    let contents = try JournalContents(disk, directory: directory)
    let located = (contents.entries[client.logName] ?? [])
      .filter { $0.entry.offsets.upperBound > client.recoveryPoint }
    try client.keepEntries(try KeptEntries.encode(located, disk))
    state.withLock { $0.ring?.unpin(client) }
  }

  private func setAsideOrLog(_ client: any JournalClient) {
    do throws(DiskError) {
      try setAside(client)
    } catch {
      // It stays in the journal, and this is tried again.
      context.rateLimitedLog.log(
        .error, cause: "set aside: \(client.logName)",
        "acknowledged records of a failed log stay in the journal: no file for them could be made",
        metadata: ["log": "\(client.logName)", "error": "\(error)"])
    }
  }

  /// Removes the files of a journal that failed, once nothing in them is needed.
  func giveUpIfRetired() {
    guard state.withLock({ $0.phase == .retired && $0.ring?.isEmpty ?? true }) else { return }
    do throws(DiskError) {
      try reset()
    } catch {
      // Its entries are done, whoever reads them; the next opening tries again.
      context.rateLimitedLog.log(
        .warning, cause: "journal",
        "a journal that is no longer used could not be removed", metadata: ["error": "\(error)"])
    }
  }
}
