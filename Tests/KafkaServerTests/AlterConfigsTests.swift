import DiskIO
import Glibc
import LogStore
import MkstoreProtocol
import MkstoreServer
import StoreTesting
import Testing

/// AlterConfigs and IncrementalAlterConfigs in Kafka 3.9's words and order.
struct AlterConfigsTests {
  private typealias Change = (name: String, operation: Int8, value: String?)
  private typealias Resource = (type: Int8, name: String, changes: [Change])

  private func alter(
    _ client: TestClient, _ resources: [Resource], validateOnly: Bool = false, version: Int16 = 1
  ) throws -> [IncrementalAlterConfigsResponse.Resource] {
    let request = IncrementalAlterConfigsRequest.with { request in
      request.validateOnly = validateOnly
      request.resources = resources.map { type, name, changes in
        .with {
          $0.resourceType = type
          $0.resourceName = name
          $0.configs = changes.map { name, operation, value in
            .with {
              $0.name = name
              $0.configOperation = operation
              $0.value = value
            }
          }
        }
      }
    }
    let answer = try client.ask(.incrementalAlterConfigs(request), version: version)
    return try answer.body(as: IncrementalAlterConfigsResponse.self).responses
  }

  private func alter(
    _ client: TestClient, _ topic: String, _ changes: Change..., validateOnly: Bool = false
  ) throws -> (code: ErrorCode, message: String?) {
    let answers = try alter(client, [(2, topic, changes)], validateOnly: validateOnly)
    let answer = try #require(answers.first)
    #expect(answers.count == 1 && answer.resourceType == 2 && answer.resourceName == topic)
    return (answer.errorCode, answer.errorMessage)
  }

  private func replace(
    _ client: TestClient, _ topic: String, _ values: [(String, String?)],
    validateOnly: Bool = false, version: Int16 = 2
  ) throws -> (code: ErrorCode, message: String?) {
    let request = AlterConfigsRequest.with { request in
      request.validateOnly = validateOnly
      request.resources = [
        .with {
          $0.resourceType = 2
          $0.resourceName = topic
          $0.configs = values.map { name, value in
            .with {
              $0.name = name
              $0.value = value
            }
          }
        }
      ]
    }
    let answer = try client.ask(.alterConfigs(request), version: version)
    let body = try answer.body(as: AlterConfigsResponse.self)
    let resource = try #require(body.responses.first)
    return (resource.errorCode, resource.errorMessage)
  }

  private func overrides(_ broker: TestBroker, _ topic: String = "t") throws -> [String: String] {
    try #require(broker.server.broker.log(topic, 0)).overrides.values
  }

  // MARK: What becomes of settings

  @Test func settingsAreSetAndDeletedOneByOne() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t", partitions: 2, configs: ["segment.ms": "70000"])
      for version: Int16 in 0...1 {
        let answers = try alter(
          client, [(2, "t", [("retention.ms", 0, "100000"), ("segment.bytes", 0, "5000")])],
          version: version)
        #expect(answers.map(\.errorCode) == [.none] && answers.map(\.errorMessage) == [nil])
        for partition: Int32 in 0...1 {
          let log = try #require(broker.server.broker.log("t", partition))
          #expect(log.config.retentionMs == 100_000 && log.config.segmentBytes == 5000)
          #expect(log.config.segmentMs == 70_000)
        }
        #expect(
          try alter(client, "t", ("retention.ms", 1, nil), ("segment.bytes", 1, "x")).code == .none)
        #expect(try overrides(broker) == ["segment.ms": "70000"])
      }
    }
  }

  @Test func listsGrowAndShrink() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      let policy = "cleanup.policy"
      // A list that the topic does not state begins with the default.
      #expect(try alter(client, "t", (policy, 2, "compact,delete")).code == .none)
      #expect(try overrides(broker) == [policy: "delete,compact"])
      #expect(try alter(client, "t", (policy, 3, "delete")).code == .none)
      #expect(try overrides(broker) == [policy: "compact"])
      let empty = try alter(client, "t", (policy, 3, "compact"))
      #expect(empty.code == .invalidConfig && empty.message?.contains(policy) == true)
      let number = try alter(client, "t", ("retention.ms", 2, "5"))
      #expect(number.code == .invalidConfig && number.message?.contains("retention.ms") == true)
      #expect(try overrides(broker) == [policy: "compact"])
    }
  }

  @Test(arguments: [0, 1, 2] as [Int16])
  func alterConfigsReplacesEverything(_ version: Int16) async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t", configs: ["segment.ms": "70000", "retention.ms": "1"])
      let values = [("retention.ms", "100000"), ("max.message.bytes", "900")]
      #expect(try replace(client, "t", values, validateOnly: true, version: version).code == .none)
      #expect(try overrides(broker) == ["segment.ms": "70000", "retention.ms": "1"])
      #expect(try replace(client, "t", values, version: version).code == .none)
      #expect(try overrides(broker) == ["retention.ms": "100000", "max.message.bytes": "900"])
      let missing = try replace(client, "t", [("retention.ms", nil)], version: version)
      #expect(missing.code == .invalidRequest && missing.message?.contains("retention.ms") == true)
      #expect(try replace(client, "none", [], version: version).code == .unknownTopicOrPartition)
    }
  }

  /// By `ConfigAdminManager` and `ConfigurationControlManager`: the request, the operation, the
  /// name, the values, and last whether the topic is there.
  @Test func whatKafkaRefusesIsRefusedInItsOrder() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      let table: [(String, [Change], ErrorCode)] = [
        ("t", [("retention.ms", 0, "1"), ("retention.ms", 1, nil)], .invalidRequest),
        ("a/b", [("retention.ms", 0, nil)], .invalidRequest),
        ("t", [("retention.ms", 4, "1")], .invalidRequest),
        ("", [("retention.ms", 0, "1")], .invalidRequest),
        ("a/b", [("retention.ms", 0, "soon")], .invalidTopicException),
        ("none", [("retention.ms", 0, "soon")], .invalidConfig),
        ("none", [("retention.ms", 0, "1")], .unknownTopicOrPartition),
        ("t", [("retention.ms", 0, "-2")], .invalidConfig),
        ("t", [("retention.month", 0, "1")], .invalidConfig),
        ("t", [("segment.bytes", 0, "9000"), ("cleanup.policy", 0, "drop")], .invalidConfig),
      ]
      for (topic, changes, code) in table {
        for validateOnly in [true, false] {
          let answers = try alter(client, [(2, topic, changes)], validateOnly: validateOnly)
          #expect(answers.map(\.errorCode) == [code], "\(topic) \(changes)")
          if code == .invalidConfig {
            let name = try #require(changes.last).name
            #expect(answers.first?.errorMessage?.contains(name) == true)
          }
        }
      }
      #expect(try overrides(broker).isEmpty)
      let twice = try alter(
        client, [(2, "t", [("segment.ms", 0, "1")]), (2, "t", []), (9, "t", []), (4, "7", [])])
      #expect(twice.map(\.errorCode) == [ErrorCode](repeating: .invalidRequest, count: 4))
      let node = "\(broker.server.broker.nodeId)"
      let ofBroker = try #require(
        try alter(client, [(4, node, [("num.partitions", 0, "3")])]).first)
      #expect(ofBroker.errorCode == .invalidRequest)
      #expect(ofBroker.errorMessage?.contains("num.partitions") == true)
      #expect(try overrides(broker).isEmpty)
    }
  }

  // MARK: What is not implemented

  private static let refused: [(String, String)] = [
    ("preallocate", "true"), ("min.insync.replicas", "2"), ("remote.storage.enable", "true"),
    ("local.retention.ms", "5"), ("delete.retention.ms", "5"), ("min.compaction.lag.ms", "5"),
    ("max.compaction.lag.ms", "5"), ("min.cleanable.dirty.ratio", "0.2"),
    ("compression.gzip.level", "9"), ("message.format.version", "0.10.2"),
  ]
  private static let taken: [(String, String)] = [
    ("preallocate", "false"), ("min.insync.replicas", "1"), ("remote.storage.enable", "false"),
    ("min.cleanable.dirty.ratio", "0.50"), ("unclean.leader.election.enable", "true"),
    ("compression.type", "lz4"), ("cleanup.policy", "compact"), ("flush.messages", "1"),
    ("flush.ms", "1000"), ("message.format.version", "3.0-IV1"),
    ("delete.retention.ms", "86400000"), ("message.timestamp.difference.max.ms", "5"),
  ]

  @Test func whatIsNotImplementedIsRefusedByName() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      for (name, value) in Self.refused {
        let answers = [
          try alter(client, "t", (name, 0, value)), try replace(client, "t", [(name, value)]),
        ]
        for answer in answers {
          #expect(answer.code == .invalidConfig, "\(name)")
          let message = answer.message ?? ""
          #expect(message.contains("\(name): mkstore does not implement"), "\(message)")
        }
        let created = try client.ask(
          .createTopics(
            .with {
              $0.topics = [
                .with {
                  $0.name = "u"
                  $0.numPartitions = 1
                  $0.replicationFactor = 1
                  $0.configs = [
                    .with {
                      $0.name = name
                      $0.value = value
                    }
                  ]
                }
              ]
            }), version: 7)
        let body = try created.body(as: CreateTopicsResponse.self)
        #expect(body.topics.map(\.errorCode) == [.invalidConfig], "\(name)")
      }
      for (name, value) in Self.taken {
        #expect(try alter(client, "t", (name, 0, value)).code == .none, "\(name)")
        try client.create("made-with-\(name)", configs: [name: value])
      }
    }
  }

  /// Where batches are not synced before they are acknowledged, bounds of what is unsynced are not
  /// kept.
  @Test func flushSettingsAreMetWhereEveryBatchIsSynced() async throws {
    var log = LogConfig()
    log.durability = .operatingSystem
    try await TestBroker.with(log: log) { broker in
      let client = try broker.connect()
      try client.create("t")
      for name in ["flush.messages", "flush.ms"] {
        #expect(try alter(client, "t", (name, 0, "1")).code == .invalidConfig)
        #expect(try alter(client, "t", (name, 0, "\(Int64.max)")).code == .none)
      }
    }
  }

  /// A topic from before that was checked opens, and its other settings can be altered.
  @Test func whatATopicHasStays() async throws {
    let path = TemporaryDirectory.make()
    defer { TemporaryDirectory.remove(path) }
    try await TestBroker.with(path) { broker in try broker.connect().create("t") }
    let old = try TopicConfig(["flush.ms": "5", "min.insync.replicas": "2"])
    try TopicConfigFile.write(old, PosixDisk(), directory: "\(path)/t-0")
    try await TestBroker.with(path) { broker in
      let client = try broker.connect()
      #expect(try alter(client, "t", ("segment.ms", 0, "70000")).code == .none)
      #expect(
        try replace(client, "t", [("min.insync.replicas", "2"), ("segment.ms", "5")]).code == .none)
      #expect(try overrides(broker) == ["min.insync.replicas": "2", "segment.ms": "5"])
      #expect(try alter(client, "t", ("min.insync.replicas", 0, "3")).code == .invalidConfig)
    }
  }

  // MARK: Durable, and at once

  @Test func settingsAreDurableBeforeTheAnswer() async throws {
    let disk = SimulatedDisk(seed: 1)
    try await TestBroker.with("/data", disk: disk, nowMs: { 1_700_000_000_000 }) { broker in
      let client = try broker.connect()
      try client.create("t", configs: ["segment.ms": "70000"])
      let path = "/data/t-0/mkstore.topic"
      let before = try #require(disk.durableContents(of: path))
      disk.plan(FaultPlan(.error(EIO), at: 1, isForEver: true, operations: [.sync]))
      #expect(try alter(client, "t", ("segment.ms", 0, "80000")).code == .kafkaStorageError)
      disk.removeFaults()
      #expect(disk.durableContents(of: path) == before)
      #expect(try alter(client, "t", ("segment.ms", 0, "90000")).code == .none)
      let bytes = try #require(disk.durableContents(of: path))
      #expect(String(decoding: bytes, as: UTF8.self).contains("segment.ms=90000"))
    }
  }

  @Test func smallerBatchesAreAskedForAtOnce() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      let batch = try TestBatch.make([String(repeating: "x", count: 500)])
      #expect(try client.produce("t", batch).errorCode == .none)
      #expect(try alter(client, "t", ("max.message.bytes", 0, "300")).code == .none)
      #expect(try client.produce("t", batch).errorCode == .messageTooLarge)
      #expect(try alter(client, "t", ("max.message.bytes", 1, nil)).code == .none)
      #expect(try client.produce("t", batch).errorCode == .none)
    }
  }

  @Test func retentionDeletesByWhatWasAltered() async throws {
    try await TestBroker.with(configureStore: { $0.retentionCheckIntervalMs = 20 }) { broker in
      let client = try broker.connect()
      try client.create("t")
      for number in 0..<4 {
        #expect(try client.produce("t", try TestBatch.make(["\(number)"])).errorCode == .none)
      }
      let log = try #require(broker.server.broker.log("t", 0))
      #expect(log.logStartOffset == 0)
      // The records are years old.
      #expect(try alter(client, "t", ("retention.ms", 0, "1000")).code == .none)
      let deadline = ContinuousClock.now + .seconds(60)
      while log.logStartOffset < 4, ContinuousClock.now < deadline { sched_yield() }
      let below = try client.fetch(TestClient.fetchRequest("t", from: 3))
      #expect(below.partition.errorCode == .offsetOutOfRange)
      #expect(log.logStartOffset == 4 && log.logEndOffset == 4)
    }
  }

  /// Only who names a setting of retention has decided on it.
  @Test func otherSettingsConfirmNoRetention() async throws {
    let directory = TemporaryDirectory.make()
    defer { TemporaryDirectory.remove(directory) }
    try await TestBroker.with(directory) { broker in
      try broker.connect().create("t")
    }
    var log = LogConfig()
    log.retentionMs = LogConfig.kafkaRetentionMs
    try await TestBroker.with(directory, log: log) { broker in
      let client = try broker.connect()
      #expect(broker.manager.topicsWithUnconfirmedRetention == ["t"])
      #expect(try alter(client, "t", ("segment.ms", 0, "5")).code == .none)
      #expect(try replace(client, "t", [("segment.ms", "6")]).code == .none)
      #expect(broker.manager.topicsWithUnconfirmedRetention == ["t"])
      #expect(try alter(client, "t", ("retention.ms", 1, nil), validateOnly: true).code == .none)
      #expect(broker.manager.topicsWithUnconfirmedRetention == ["t"])
      #expect(try alter(client, "t", ("retention.ms", 1, nil)).code == .none)
      #expect(broker.manager.topicsWithUnconfirmedRetention.isEmpty)
    }
  }

  /// What cannot be read would be lost; who states everything loses nothing.
  @Test func unreadableSettingsAreReplacedButNotChanged() async throws {
    let disk = SimulatedDisk(seed: 1)
    try await TestBroker.with("/data", disk: disk) { broker in
      try broker.connect().create("t", configs: ["max.message.bytes": "300"])
    }
    let path = "/data/t-0/mkstore.topic"
    let file = try #require(disk.contents(of: path))
    try disk.install(path, file.map { $0 == UInt8(ascii: "3") ? UInt8(ascii: "7") : $0 })
    try await TestBroker.with("/data", disk: disk) { broker in
      let client = try broker.connect()
      let changed = try alter(client, "t", ("segment.ms", 0, "5"))
      #expect(changed.code == .invalidConfig && changed.message?.contains(path) == true)
      #expect(try client.produce("t", try TestBatch.make(["x"])).errorCode == .invalidConfig)
      #expect(try replace(client, "t", [("max.message.bytes", "400")]).code == .none)
      #expect(try client.produce("t", try TestBatch.make(["x"])).errorCode == .none)
      #expect(try overrides(broker) == ["max.message.bytes": "400"])
    }
  }
}
