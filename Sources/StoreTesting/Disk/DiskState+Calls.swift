import DiskIO
import Glibc

/// The calls of `Disk`, on the state.
extension DiskState {
  mutating func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> InodeID {
    let operation: DiskError.Operation = mode == .create ? .create : .open
    _ = try begin(operation, path)
    if let openFilesMax, counters.openFiles >= openFilesMax {
      throw DiskError(operation, path, code: EMFILE)
    }
    let id: InodeID
    if mode == .create {
      id = try create(path)
    } else {
      id = try require(operation, path)
      if inodes[id]!.kind == .directory { throw DiskError(operation, path, code: EISDIR) }
    }
    inodes[id]!.openFiles += 1
    counters.countOpen()
    return id
  }

  private mutating func create(_ path: String) throws(DiskError) -> InodeID {
    if try Self.components(.create, path).isEmpty {
      throw DiskError(.create, path, code: EEXIST)
    }
    let place = try place(.create, path)
    if place.inode != nil { throw DiskError(.create, path, code: EEXIST) }
    return try make(.file, .create, path, at: place)
  }

  mutating func status(_ path: String) throws(DiskError) -> FileStatus? {
    _ = try begin(.status, path)
    do {
      guard let id = try find(.status, path) else { return nil }
      let inode = inodes[id]!
      return FileStatus(
        kind: inode.kind, size: inode.size, modifiedMs: inode.modifiedMs,
        changedMs: inode.changedMs, createdMs: inode.createdMs)
    } catch  where error.isNotFound {
      return nil
    } catch {
      throw error
    }
  }

  mutating func list(_ path: String) throws(DiskError) -> [DirectoryEntry] {
    _ = try begin(.list, path)
    let id = try require(.list, path)
    guard inodes[id]!.kind == .directory else { throw DiskError(.list, path, code: ENOTDIR) }
    // Sorted, then shuffled: no order is promised, and no caller may rely on one by accident.
    var entries = inodes[id]!.names.sorted { $0.key < $1.key }.map {
      DirectoryEntry(name: $0.key, kind: inodes[$0.value]!.kind)
    }
    entries.shuffle(using: &random)
    return entries
  }

  mutating func makeDirectory(_ path: String) throws(DiskError) {
    _ = try begin(.makeDirectory, path)
    if try Self.components(.makeDirectory, path).isEmpty {
      throw DiskError(.makeDirectory, path, code: EEXIST)
    }
    let place = try place(.makeDirectory, path)
    if place.inode != nil { throw DiskError(.makeDirectory, path, code: EEXIST) }
    _ = try make(.directory, .makeDirectory, path, at: place)
  }

  mutating func rename(_ source: String, to destination: String) throws(DiskError) {
    _ = try begin(.rename, source)
    let from = try place(.rename, source)
    let to = try place(.rename, destination)
    guard let inode = from.inode else { throw DiskError(.rename, source, code: ENOENT) }
    // In the kernel's order (fs/namei.c, do_renameat2).
    if isInside(to.directory, inode) { throw DiskError(.rename, source, code: EINVAL) }
    if let replaced = to.inode {
      if isInside(from.directory, replaced) {
        throw DiskError(.rename, source, code: ENOTEMPTY)
      }
      if replaced == inode { return }
      try checkReplaceable(replaced, by: inode, source)
    }
    change(
      "rename \(source) \(destination)",
      [
        (to.directory, .set(name: to.name, inode)),
        (from.directory, .clearIf(name: from.name, inode)),
      ])
    inodes[inode]!.changedMs = nowMs
  }

  private func checkReplaceable(
    _ replaced: InodeID, by inode: InodeID, _ source: String
  ) throws(DiskError) {
    switch (inodes[inode]!.kind == .directory, inodes[replaced]!.kind == .directory) {
    case (false, true): throw DiskError(.rename, source, code: EISDIR)
    case (true, false): throw DiskError(.rename, source, code: ENOTDIR)
    case (true, true):
      guard inodes[replaced]!.names.isEmpty else {
        throw DiskError(.rename, source, code: ENOTEMPTY)
      }
    case (false, false): break
    }
  }

  /// Whether `directory` is `ancestor` or is below it.
  private func isInside(_ directory: InodeID, _ ancestor: InodeID) -> Bool {
    directory == ancestor
      || inodes[ancestor]!.names.values.contains {
        inodes[$0]!.kind == .directory && isInside(directory, $0)
      }
  }

  mutating func remove(_ path: String) throws(DiskError) {
    _ = try begin(.remove, path)
    let id = try require(.remove, path)
    if inodes[id]!.kind == .directory { throw DiskError(.remove, path, code: EISDIR) }
    let place = try place(.remove, path)
    change("remove \(path)", [(place.directory, .clear(name: place.name))])
  }

  mutating func removeDirectory(_ path: String) throws(DiskError) {
    _ = try begin(.removeDirectory, path)
    let place = try place(.removeDirectory, path)
    guard let id = place.inode else { throw DiskError(.removeDirectory, path, code: ENOENT) }
    guard inodes[id]!.kind == .directory else {
      throw DiskError(.removeDirectory, path, code: ENOTDIR)
    }
    guard inodes[id]!.names.isEmpty else {
      throw DiskError(.removeDirectory, path, code: ENOTEMPTY)
    }
    change("removeDirectory \(path)", [(place.directory, .clear(name: place.name))])
  }

  mutating func syncDirectory(_ path: String) throws(DiskError) {
    let fault = try begin(.syncDirectory, path)
    let id = try require(.syncDirectory, path)
    guard inodes[id]!.kind == .directory else {
      throw DiskError(.syncDirectory, path, code: ENOTDIR)
    }
    if case .error(let code) = fault {
      dropNames(of: id)
      throw DiskError(.syncDirectory, path, code: code)
    }
    syncNames(of: id)
  }

  mutating func lock(_ path: String) throws(DiskError) -> InodeID {
    _ = try begin(.lock, path)
    let place = try place(.lock, path)
    let id: InodeID
    if let found = place.inode { id = found } else { id = try make(.file, .lock, path, at: place) }
    if inodes[id]!.kind == .directory { throw DiskError(.lock, path, code: EISDIR) }
    guard locks.insert(id).inserted else {
      throw DiskError(.lock, path, code: EAGAIN, holder: getpid())
    }
    return id
  }

  mutating func space(_ path: String) throws(DiskError) -> DiskSpace {
    _ = try begin(.availableBytes, path)
    _ = try require(.availableBytes, path)
    return DiskSpace(
      totalBytes: Int64(usedBytes + availableBytes), availableBytes: Int64(availableBytes))
  }
}
