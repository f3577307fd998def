import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// Settings of a topic: Kafka's names and values, kept with the log.
struct TopicConfigTests {
  @Test(arguments: [
    ("segment.bytes", "13"), ("segment.bytes", "2147483648"), ("segment.bytes", "1e6"),
    ("segment.ms", "0"), ("retention.ms", "-2"), ("cleanup.policy", "compact,drop"),
    ("cleanup.policy", ""), ("compression.type", "brotli"), ("preallocate", "yes"),
    ("message.timestamp.type", "createtime"), ("min.cleanable.dirty.ratio", "1.5"),
    ("segment.byte", "100"), ("", ""),
  ])
  func whatKafkaRefusesIsRefused(name: String, value: String) {
    #expect {
      try TopicConfig([name: value])
    } throws: { error in
      if case .invalidConfiguration(name, _)? = (error as? LogError)?.kind { true } else { false }
    }
  }

  @Test(arguments: [
    ("segment.bytes", "14"), ("segment.bytes", "2147483647"), ("retention.ms", "-1"),
    ("cleanup.policy", "compact, delete"), ("compression.type", "producer"),
    ("min.cleanable.dirty.ratio", "0.5"), ("local.retention.bytes", "-2"),
  ])
  func whatKafkaTakesIsTaken(name: String, value: String) throws {
    let config = try TopicConfig([name: value])
    #expect(config.values == [name: value])
    #expect(throws: Never.self) { try config.applied(to: LogConfig()).validate() }
  }

  /// Also where a program makes or changes a topic: nothing is taken and not gone by. What a topic
  /// has from earlier stays.
  @Test func aStoreRefusesWhatItWouldNotGoBy() throws {
    let disk = SimulatedDisk(seed: 3)
    var config = StoreConfig()
    config.createsStore = true
    config.startsFlusher = false
    let store = try Store.openBlocking("/data", config: config, disk: disk, logger: .silent)
    let old = try TopicConfig(["preallocate": "true"])
    let name = try TopicPartition(topic: "t", partition: 0)
    func isRefused(_ body: () throws -> Void) -> Bool {
      do {
        try body()
        return false
      } catch {
        guard case .invalidConfiguration("preallocate", _) = (error as? LogError)?.kind else {
          return false
        }
        return true
      }
    }
    #expect(isRefused { _ = try store.createLogBlocking(name, overrides: old) })
    let log = try store.createLogBlocking(name)
    #expect(isRefused { try store.alterTopicBlocking("t", old) })
    #expect(log.overrides.values.isEmpty)
    try TopicConfigFile.write(old, policySession: nil, disk, directory: log.path)
    try store.closeBlocking()
    let again = try Store.openBlocking("/data", config: config, disk: disk, logger: .silent)
    try again.alterTopicBlocking(
      "t", TopicConfig(["preallocate": "true", "segment.bytes": "1000"]))
    #expect(try #require(again.log(name)).config.segmentBytes == 1000)
    try again.closeBlocking()
  }

  @Test func settingsThatActChangeTheLogsSettings() throws {
    let config = try TopicConfig([
      "segment.bytes": "5000", "segment.ms": "70000", "segment.index.bytes": "4",
      "index.interval.bytes": "0", "max.message.bytes": "900",
      "message.timestamp.type": "LogAppendTime", "compression.type": "zstd",
      "retention.ms": "1000",
    ]).applied(to: LogConfig())
    #expect(config.segmentBytes == 5000 && config.segmentMs == 70000)
    #expect(config.segmentIndexBytes == 24 && config.indexIntervalBytes == 0)
    #expect(config.maxMessageBytes == 900 && config.timestampType == .logAppendTime)
    #expect(config.compression == .zstd)
    for name in TopicConfig.names {
      let acts = TopicConfig.effect(of: name) == .acts
      #expect(acts == (TopicConfig().effective(LogConfig())[name] != nil), "\(name)")
    }
  }

  @Test func settingsOfATopicOutliveTheProcess() throws {
    let disk = SimulatedDisk(seed: 1)
    var config = ProducerFixture.config()
    let overrides = try TopicConfig(["max.message.bytes": "300", "retention.ms": "86400000"])
    var store = try Store.openBlocking("/data", config: config, disk: disk, logger: .silent)
    let topic = try ProducerFixture.partition()
    _ = try store.createLogBlocking(topic, overrides: overrides)
    _ = try store.createLogBlocking(ProducerFixture.partition("plain"))
    try store.closeBlocking()
    #expect(disk.contents(of: "/data/plain-0/\(TopicConfigFile.name)") == nil)
    config.log.maxMessageBytes = 1000
    store = try Store.openBlocking(
      "/data", config: config, disk: disk.crash(.loseAllUnsynced), logger: .silent)
    let log = try #require(store.log(topic))
    #expect(log.overrides == overrides)
    #expect(log.config.maxMessageBytes == 300)
    var batch = sampleBatch(1, value: String(repeating: "x", count: 400))
    #expect(throws: LogError.self) { try log.appendBlocking(batch: &batch) }
    #expect(try store.log(ProducerFixture.partition("plain"))?.config.maxMessageBytes == 1000)
  }

  @Test func theDocumentsSampleIsReadAndWrittenSo() throws {
    let lines = try FormatDocument().block("text topic")
    let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
    let disk = SimulatedDisk()
    try disk.install("/log/\(TopicConfigFile.name)", bytes)
    let found = try #require(try TopicConfigFile.read(disk, directory: "/log"))
    #expect(found.config.values["segment.bytes"] == "67108864" && found.config.values.count == 3)
    #expect(found.unchecked == nil)
    try TopicConfigFile.write(found.config, disk, directory: "/log")
    #expect(disk.contents(of: "/log/\(TopicConfigFile.name)") == bytes)
  }
}
