import DiskIO
import Glibc

/// The effect of a power cut or a killed process on the state.
extension DiskState {
  /// Files whose content could matter after a crash, in a fixed order.
  private var filesInOrder: [InodeID] {
    let reachable = reachableInodes()
    return inodes.keys.filter { reachable.contains($0) && inodes[$0]!.kind == .file }.sorted()
  }

  /// The items that are not durable: names in the order of their changes, then per file its size
  /// and sectors.
  func unsyncedItems() -> [UnsyncedItem] {
    var items = pending.map { UnsyncedItem.name($0.text) }
    let paths = filePaths()
    for id in filesInOrder {
      let path = paths[id] ?? "(removed file \(id))"
      let (live, durable) = (inodes[id]!.content, inodes[id]!.durable)
      if live.size != durable.size {
        items.append(.size(path: path, durable: durable.size, live: live.size))
      }
      items += live.sectorsDiffering(from: durable).map { .sector(path: path, $0) }
    }
    return items
  }

  /// What a power cut would do to a file's current name.
  func nameDurability(of inode: InodeID) -> NameDurability {
    if inodes.values.contains(where: { $0.durableNames.values.contains(inode) }) { return .durable }
    let changes = pending.filter { $0.targets.contains(inode) }
    return changes.contains { !$0.isDropped } ? .unsynced : .lost
  }

  /// The disk after a power cut.
  func crashed(_ mode: CrashMode) -> DiskState {
    var chooser = CrashChooser(mode)
    var after = restarted()
    var random = SeededGenerator(seed: bootIdentifier)
    after.bootIdentifier = random.next()
    after.pending = []

    for change in pending where chooser.name() {
      for (directory, step) in change.steps {
        after.inodes[directory]?.durableNames.apply(step)
      }
    }
    for id in filesInOrder {
      let inode = inodes[id]!
      after.inodes[id] = Inode(
        content: Self.content(live: inode.content, durable: inode.durable, &chooser),
        birth: inode.birth, modifiedMs: inode.modifiedMs)
      after.inodes[id]!.changedMs = inode.changedMs
      after.inodes[id]!.evictAll()
    }
    for id in after.inodes.keys { after.inodes[id]!.names = after.inodes[id]!.durableNames }
    after.collectGarbage()
    return after
  }

  /// The disk after the process was killed and the system runs on.
  func killed() -> DiskState {
    var after = restarted()
    after.collectGarbage()
    return after
  }

  private static func content(
    live: PagedBytes, durable: PagedBytes, _ chooser: inout CrashChooser
  ) -> PagedBytes {
    var size = durable.size
    if live.size != durable.size { size = chooser.size(durable: durable.size, live: live.size) }
    var content = durable
    content.resize(to: max(live.size, durable.size))
    for sector in live.sectorsDiffering(from: durable) {
      let bytes = chooser.bytes(old: durable.sector(sector), new: live.sector(sector))
      content.setSector(sector, bytes[...])
    }
    content.resize(to: size)
    return content
  }

  /// The same content without a process: no handle, mapping, lock, fault or count.
  private func restarted() -> DiskState {
    var after = self
    for id in inodes.keys {
      after.inodes[id]!.detachMappings()
      after.inodes[id]!.openFiles = 0
      after.inodes[id]!.mappings = 0
    }
    after.locks = []
    after.counters = DiskCounters()
    after.faults = FaultInjector()
    after.trace = nil
    after.beforeCall = nil
    after.isCut = false
    return after
  }
}

/// Queries of the disk's controls.
extension DiskState {
  /// The file at `path`, if there is one.
  func file(_ path: String) -> Inode? {
    do {
      guard let id = try find(.status, path), inodes[id]!.kind == .file else { return nil }
      return inodes[id]
    } catch {
      return nil  // a path through a file: nothing is stored there
    }
  }

  /// One live path of each file, by inode.
  func filePaths() -> [InodeID: String] {
    var found: [InodeID: String] = [:]
    var open: [(InodeID, String)] = [(Self.root, "")]
    while let (id, path) = open.popLast() {
      let inode = inodes[id]!
      if inode.kind == .file { found[id] = path }
      for (name, child) in inode.names { open.append((child, "\(path)/\(name)")) }
    }
    return found
  }

  mutating func installDirectories(
    _ path: String, _ names: ArraySlice<String>
  ) throws(DiskError) -> InodeID {
    var id = Self.root
    for name in names {
      if inodes[id]!.names[name] == nil {
        installInode(Inode(kind: .directory, nextInode, nowMs: nowMs), name, in: id)
      }
      let child = inodes[id]!.names[name]!
      guard inodes[child]!.kind == .directory else {
        throw DiskError(.makeDirectory, path, code: ENOTDIR)
      }
      inodes[id]!.durableNames[name] = child  // one that was made but not synced
      id = child
    }
    return id
  }

  mutating func installInode(_ inode: Inode, _ name: String, in directory: InodeID) {
    inodes[nextInode] = inode
    inodes[directory]!.names[name] = nextInode
    inodes[directory]!.durableNames[name] = nextInode
    nextInode += 1
  }
}
