internal import DiskIO
internal import Glibc
internal import Logging
internal import MkstoreBytes
internal import Synchronization

/// Making, taking over and removing the files of a journal.
extension Journal {
  /// Goes on with the files of the last session, all of whose entries are done: they are durably
  /// empty from now on.
  func adopt(_ contents: JournalContents) throws(DiskError) {
    guard let id = contents.ringId else {
      // Nothing in them is of any use.
      for path in contents.files.values { try disk.remove(path) }
      if !contents.files.isEmpty { try disk.syncDirectory(directory) }
      return
    }
    var files: [JournalRing.File] = []
    for (index, path) in contents.files.sorted(by: { $0.key < $1.key }) {
      let file = try disk.open(path, .durableWrites)
      let header = JournalFileHeader(ringId: id, liveFrom: contents.nextSequence)
      try store(header, to: file)
      let size = try file.size() / JournalLayout.blockBytes * JournalLayout.blockBytes
      files.append(JournalRing.File(index: index, file: file, size: size))
    }
    files.removeAll { $0.size < settings.groupBytesMax + JournalLayout.blockBytes }
    state.withLock { $0.nextSequence = contents.nextSequence }
    guard !files.isEmpty, settings.logCountMin > 0 else { return }
    state.withLock { state in
      state.ring = JournalRing(id: id, files: files, nextSequence: contents.nextSequence)
      state.phase = .ready
    }
    usable.store(true, ordering: .releasing)
  }

  private func store(_ header: JournalFileHeader, to file: any DiskFile) throws(DiskError) {
    let buffer = JournalBuffer(JournalLayout.blockBytes)
    buffer.fill(0..<JournalLayout.blockBytes) { header.encode(into: &$0) }
    try buffer.write(JournalLayout.blockBytes, to: file, at: 0)
  }

  /// Makes one more file, written in full, so that later writes change no metadata.
  func makeFile() {
    let (index, id, next) = state.withLock { state in
      (
        state.ring?.unusedIndex ?? 0, state.ring?.id,
        state.ring?.nextSequence ?? state.nextSequence
      )
    }
    var generator = SystemRandomNumberGenerator()
    let ringId = id ?? Uuid.random(using: &generator)
    let path = "\(directory)/\(JournalLayout.fileName(index))"
    do throws(DiskError) {
      let header = JournalFileHeader(ringId: ringId, liveFrom: id == nil ? next : 0)
      let file = try prepare(path, header)
      let made = JournalRing.File(index: index, file: file, size: settings.fileBytes)
      state.withLock { state in
        if state.ring == nil {
          state.ring = JournalRing(id: ringId, files: [made], nextSequence: next)
          state.failedFrom = UInt64.max
        } else {
          state.ring!.insert(made)
        }
        if state.phase == .making { state.phase = .ready }
      }
      usable.store(state.withLock { $0.phase == .ready }, ordering: .releasing)
    } catch {
      state.withLock { state in
        if state.phase == .making { state.phase = .none }
        state.pausedUntilNs = context.now() + Self.pauseNs
      }
      context.logger.warning(
        "no room for the journal could be made; logs are synced one by one",
        metadata: ["error": "\(error)"])
      removeLeft(path)
    }
  }

  private func prepare(
    _ path: String, _ header: JournalFileHeader
  ) throws(DiskError) -> any DiskFile {
    if try disk.status(path) != nil { try disk.remove(path) }
    let file = try disk.open(path, .create)
    let chunk = [UInt8](
      repeating: JournalLayout.blank, count: min(settings.fileBytes, 1 << 20))
    var position = 0
    while position < settings.fileBytes {
      let count = min(chunk.count, settings.fileBytes - position)
      try file.write(chunk.span.extracting(0..<count), at: position)
      position += count
    }
    try file.sync()
    let durable = try disk.open(path, .durableWrites)
    try store(header, to: durable)
    try disk.syncDirectory(directory)
    return durable
  }

  private func removeLeft(_ path: String) {
    do throws(DiskError) {
      try disk.remove(path)
    } catch {
      // The next attempt replaces it, and the next opening finds no header in it.
      return
    }
  }

  /// Makes the journal durably empty; everything in it must be done.
  ///
  /// A journal that failed is removed.
  func reset() throws(DiskError) {
    let (ring, phase) = state.withLock { ($0.ring, $0.phase) }
    guard let ring else { return }
    guard ring.isEmpty else {
      throw DiskError(.sync, "\(directory)/\(JournalLayout.fileName(0))", code: EBUSY)
    }
    if phase == .retired {
      for file in ring.files { try disk.remove(file.file.path) }
      try disk.syncDirectory(directory)
      state.withLock { state in
        state.ring = nil
        state.nextSequence = ring.nextSequence
        state.phase = .none
        state.pausedUntilNs = context.now() + Self.pauseNs
      }
      return
    }
    let header = JournalFileHeader(ringId: ring.id, liveFrom: ring.nextSequence)
    for file in ring.files { try store(header, to: file.file) }
  }
}
