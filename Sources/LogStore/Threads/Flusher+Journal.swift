/// Flushing several logs by the journal.
extension Flusher {
  /// Flushes logs that were taken from the queue by one write of the journal, as far as they fit;
  /// the rest waits again. What the journal cannot take is flushed by itself.
  func flush(_ clients: [any Client], by journal: Journal) {
    var members: [any JournalMember] = []
    var begun: [any Client] = []
    var others: [any Client] = []
    var bytesLeft = journal.settings.groupBytesMax
    for (index, client) in clients.enumerated() {
      switch client.beginJournaledFlush(bytesMax: journal.settings.entryBytesMax) {
      case .begun(let member):
        members.append(member)
        begun.append(client)
        bytesLeft -= member.entry.byteCount + member.entry.encodedBytes
      case .idle: finish([client])
      case .alone: others.append(client)
      }
      if bytesLeft < journal.settings.entryBytesMax {
        putBack(Array(clients[(index + 1)...]))
        break
      }
    }
    let left = members.isEmpty ? [] : journal.write(members)
    finish(begun.indices.filter { !left.contains($0) }.map { begun[$0] })
    // Before own syncs, which may take long: no other log waits for them.
    endGroup()
    for index in left {
      members[index].end(isDurable: false)
      finish([begun[index]])
    }
    for client in others { flush(client) }
  }
}
