import LogStore

/// Recipes for programs that embed the engine; each is a function in a file of its own.
///
///     swift run MkstoreCookbook /tmp/cookbook
@main struct Cookbook {
  static func main() async throws {
    let path = CommandLine.arguments.dropFirst().first ?? "cookbook-data"
    try await Store.withStore(path, .createIfMissing) { store in
      try await ledger(store)
      try await positions(store)
      try await tailing(store)
      try await times(store)
      try await batching(store)
      try await zeroCopy(store)
    }
  }
}
