import Testing

/// Log lines of the engine and the server go through `RateLimitedLog`, so that no client and no
/// state of the disk can fill the log.
struct LogLineTests {
  /// A file that may write lines past it, how many, and why.
  private struct Exception {
    var file: String
    var count: Int
    /// For whoever reads the list.
    var why: String
  }

  private static let exceptions = [
    Exception(
      file: "Sources/MkstoreServer/Broker/Broker.swift", count: 2,
      why: "at the start: once for each topic with a gap, once for the producer ids"),
    Exception(
      file: "Sources/MkstoreServer/Broker/ProducerIds.swift", count: 2,
      why: "at the start, and when a directory is renamed out of the way"),
    Exception(
      file: "Sources/MkstoreServer/Broker/BrokerServer.swift", count: 2, why: "once, at the stop"),
    Exception(
      file: "Sources/MkstoreServer/Requests/MetadataAnswers.swift", count: 1,
      why: "a topic was made: who follows what becomes of topics needs each"),
    Exception(
      file: "Sources/MkstoreServer/Requests/AlterConfigsAnswers.swift", count: 1,
      why: "a topic's settings were altered: the same"),
    Exception(
      file: "Sources/MkstoreServer/Requests/TopicAnswers.swift", count: 2,
      why: "a topic was made, or deleted: the same"),
    Exception(
      file: "Sources/LogStore/Acceptance/LossAcceptance.swift", count: 1,
      why: "once for each loss that is accepted, which it then is for good"),
    Exception(
      file: "Sources/LogStore/Flush/FlushPipeline+Closing.swift", count: 1,
      why: "once, when a log is closed"),
    Exception(
      file: "Sources/LogStore/Read/SegmentView.swift", count: 1,
      why: "damage: once for each range, and there are as many as the disk holds"),
    Exception(
      file: "Sources/LogStore/Store/Store.swift", count: 2,
      why: "once for a store whose scoped use ended with an error, and once at an opening"),
    Exception(
      file: "Sources/LogStore/Journal/Journal.swift", count: 1, why: "once for each journal"),
    Exception(
      file: "Sources/LogStore/Journal/Journal+Files.swift", count: 1,
      why: "once a minute at most: no file is tried again sooner"),
    Exception(
      file: "Sources/LogStore/Store/StoreContext.swift", count: 1,
      why: "once for each kept file that a bound makes an opening remove"),
    Exception(
      file: "Sources/LogStore/Retention/LogRetention.swift", count: 1,
      why: "once for each check that deletes something of a log"),
    Exception(
      file: "Sources/LogStore/Retention/RetentionJob.swift", count: 2,
      why: "when the clock begins to be in doubt, and when that ends"),
    Exception(
      file: "Sources/LogStore/Store/StoreOpening.swift", count: 4,
      why: "once for each log, at an opening, and once for the store"),
    Exception(file: "Sources/LogStore/Threads/GroupSync.swift", count: 1, why: "once and for all"),
  ]

  @Test func whatRepeatsGoesThroughTheRateLimitedLog() {
    let modules: Set = ["MkstoreServer", "LogStore"]
    var found: [String: Int] = [:]
    for file in SourceTree.sources where modules.contains(file.module) {
      let count = file.code.count {
        $0.text.contains(/(?:^|\W)logger\s*\.(?:info|notice|warning|error|critical)\(/)
      }
      if count > 0 { found[file.path] = count }
    }
    let expected = Dictionary(uniqueKeysWithValues: Self.exceptions.map { ($0.file, $0.count) })
    #expect(found == expected, "use rateLimitedLog, or say here why a line cannot repeat")
  }
}
