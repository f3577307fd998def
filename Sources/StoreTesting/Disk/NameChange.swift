/// One change of directories that no `syncDirectory` has made durable yet: atomic, and kept or lost
/// by a power cut independently of every other one.
struct NameChange: Sendable {
  /// What happens to one name of one directory.
  enum Step: Sendable {
    /// The name leads to the inode.
    case set(name: String, InodeID)
    /// The name is removed.
    case clear(name: String)
    /// The name is removed if it (still) leads to this inode: the old name of a rename.
    case clearIf(name: String, InodeID)
  }

  /// For people: operation and path.
  var text: String
  /// Steps not durable yet, each with its directory.
  var steps: [(directory: InodeID, step: Step)]
  /// A failed `syncDirectory` marked it clean: no later one makes it durable.
  var isDropped = false

  /// Inodes that it may yet make reachable.
  var targets: [InodeID] {
    steps.compactMap { if case .set(_, let inode) = $0.step { inode } else { nil } }
  }
}

extension [String: InodeID] {
  /// Applies one step.
  mutating func apply(_ step: NameChange.Step) {
    switch step {
    case .set(let name, let inode): self[name] = inode
    case .clear(let name): self[name] = nil
    case .clearIf(let name, let inode): if self[name] == inode { self[name] = nil }
    }
  }
}
