package import DiskIO

/// The directories of a store's logs, including those behind symbolic links, as a broker sees them
/// (`java.io.File.isDirectory` follows links). A link that does not lead to a separate log is
/// reported.
package struct LogDirectories: Sendable {
  /// The logs, by the names of their directories.
  package private(set) var logs: [TopicPartition] = []
  /// Logs whose link cannot be followed, or leads to the directory of another name, and why.
  package private(set) var broken: [(path: String, error: LogError)] = []
  /// Links that are followed: one sentence each.
  package private(set) var notes: [String] = []
  /// Every other directory, and the meaning of its name.
  package private(set) var others: [(name: String, meaning: LogDirectoryName)] = []

  private let store: String
  private let disk: any Disk
  /// Which name leads to a directory; only if there are links.
  private var owners: [FileIdentity: String] = [:]

  /// Classifies the entries of a store's directory.
  package init(in store: String, _ entries: [DirectoryEntry], _ disk: any Disk) throws(DiskError) {
    self.store = store
    self.disk = disk
    let sorted = entries.sorted { $0.name < $1.name }
    let links = sorted.filter { $0.kind == .symbolicLink }
    let hasLinks = links.contains { LogDirectoryName($0.name).isLog }
    if hasLinks, let own = try disk.status(store)?.identity { owners[own] = "the store itself" }
    for entry in sorted where entry.kind == .directory {
      if hasLinks, let own = try disk.status("\(store)/\(entry.name)")?.identity {
        owners[own] = entry.name
      }
      add(entry.name)
    }
    // A directory keeps its own name, whatever links lead to it.
    for entry in links { follow(entry.name) }
    if hasLinks { logs.sort { "\($0)" < "\($1)" } }
  }

  private mutating func add(_ name: String) {
    let meaning = LogDirectoryName(name)
    if case .log(let log) = meaning { logs.append(log) } else { others.append((name, meaning)) }
  }

  private mutating func follow(_ name: String) {
    let path = "\(store)/\(name)"
    do throws(DiskError) {
      let status = try disk.status(path)
      guard status?.kind == .directory else {
        return refuse(
          name, "is a link that leads to \(status == nil ? "nothing" : "no directory")")
      }
      guard LogDirectoryName(name).isLog else { return add(name) }
      if let found = status?.identity {
        if let owner = owners[found] {
          return refuse(
            name,
            "is a link to the same directory as \(owner), and two logs must not write the "
              + "same files: remove one of the names")
        }
        owners[found] = name
      }
      add(name)
      notes.append("\(name) is a link to a directory elsewhere; it is followed")
    } catch {
      refuse(name, "is a link that cannot be followed: \(error)")
    }
  }

  private mutating func refuse(_ name: String, _ reason: String) {
    guard LogDirectoryName(name).isLog else { return notes.append("\(name) \(reason)") }
    let path = "\(store)/\(name)"
    broken.append((path, .invalidConfiguration(name: path, reason: reason)))
  }
}
