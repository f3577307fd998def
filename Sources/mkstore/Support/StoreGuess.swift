import DiskIO
import LogStore

/// Keeps `mkstore serve`, `mkstore recover` and `mkstore append --create` from taking another
/// directory for a store: a mistake such as `--data /etc` would write into it, and take `gtk-2.0`
/// for a log.
struct StoreGuess {
  private let disk: any Disk
  private let path: String

  init(_ disk: any Disk, _ path: String) {
    self.disk = disk
    self.path = path
  }

  /// Refuses what is not a store yet: for commands that make none.
  func requireStore() throws(CommandFailure) {
    let kind = try withDiskErrors { () throws(DiskError) in try disk.status(path)?.kind }
    guard let kind else { throw .failure("\(path) does not exist; check the path") }
    guard kind == .directory else {
      throw .failure("\(path) is not a directory; a store is one")
    }
    if try entries().isEmpty {
      throw .usage("\(path) is empty and no store; is its volume mounted?")
    }
    try refuseForeign()
  }

  private func entries() throws(CommandFailure) -> [DirectoryEntry] {
    try withDiskErrors { () throws(DiskError) in
      try disk.status(path)?.kind == .directory ? try disk.list(path) : []
    }.filter { $0.name != "lost+found" }
  }

  /// Refuses a directory with content that no store has.
  func refuseForeign() throws(CommandFailure) {
    let entries = try entries()
    if entries.isEmpty { return }
    let isStore = try withDiskErrors { () throws(DiskError) in
      try StoreNames.isStore(entries, at: path, disk)
    }
    if isStore { return }
    throw .usage(
      "\(path) holds files and is not a store: it has no \(MetaProperties.name) and no log; give a "
        + "store's directory, or one that is empty or missing to make a new store")
  }
}
