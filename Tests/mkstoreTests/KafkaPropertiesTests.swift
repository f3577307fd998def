import Foundation
import LogStore
import MkstoreServer
import Testing

@testable import mkstore

/// Kafka's own settings files are taken as they are.
struct KafkaPropertiesTests {
  /// config/server.properties of Kafka 3.9, without what people are told.
  private static let zooKeeper = """
    # Licensed to the Apache Software Foundation (ASF) under one or more
    # This configuration file is intended for use in ZK-based mode, where
    # Apache ZooKeeper is required.
    broker.id=0
    #listeners=PLAINTEXT://:9092
    #advertised.listeners=PLAINTEXT://your.host.name:9092
    #listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT
    num.network.threads=3
    num.io.threads=8
    socket.send.buffer.bytes=102400
    socket.receive.buffer.bytes=102400
    socket.request.max.bytes=104857600
    log.dirs=/tmp/kafka-logs
    num.partitions=1
    num.recovery.threads.per.data.dir=1
    offsets.topic.replication.factor=1
    transaction.state.log.replication.factor=1
    transaction.state.log.min.isr=1
    #log.flush.interval.messages=10000
    #log.flush.interval.ms=1000
    log.retention.hours=168
    #log.retention.bytes=1073741824
    #log.segment.bytes=1073741824
    log.retention.check.interval.ms=300000
    zookeeper.connect=localhost:2181
    zookeeper.connection.timeout.ms=18000
    group.initial.rebalance.delay.ms=0

    """
  /// config/kraft/server.properties of Kafka 3.9.
  private static let kraft = """
    # This configuration file is intended for use in KRaft mode, where
    # Apache ZooKeeper is not present.
    process.roles=broker,controller
    node.id=1
    controller.quorum.voters=1@localhost:9093
    listeners=PLAINTEXT://:9092,CONTROLLER://:9093
    inter.broker.listener.name=PLAINTEXT
    advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
    controller.listener.names=CONTROLLER
    listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,\
    SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL
    num.network.threads=3
    num.io.threads=8
    socket.send.buffer.bytes=102400
    socket.receive.buffer.bytes=102400
    socket.request.max.bytes=104857600
    log.dirs=/tmp/kraft-combined-logs
    num.partitions=1
    num.recovery.threads.per.data.dir=1
    offsets.topic.replication.factor=1
    transaction.state.log.replication.factor=1
    transaction.state.log.min.isr=1
    #log.flush.interval.messages=10000
    #log.flush.interval.ms=1000
    log.retention.hours=168
    #log.retention.bytes=1073741824
    log.segment.bytes=1073741824
    log.retention.check.interval.ms=300000

    """

  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func read(
    _ text: String, _ more: (name: String, value: String)...
  ) throws -> ServeSettings {
    try ServeSettings(
      commandLine: more, file: try directory.file("server.properties", text.utf8))
  }

  private func refusal(_ text: String, _ more: (name: String, value: String)...) -> String? {
    do {
      let file = try directory.file("server.properties", text.utf8)
      _ = try ServeSettings(commandLine: [("data", "d")] + more, file: file)
      return nil
    } catch {
      return (error as? CommandFailure)?.message ?? "\(error)"
    }
  }

  /// Names that a file gives and that have no meaning here are noted, once each, and no others.
  private func expectNotes(_ settings: ServeSettings, _ text: String) {
    let honoured = Set(KafkaBrokerNames.all + ServeSettings.names)
    let given = text.split(separator: "\n").filter { !$0.hasPrefix("#") && $0.contains("=") }
      .map { $0.prefix { $0 != "=" } }
    for name in given.map(String.init) {
      let notes = settings.notes.filter { $0.contains(": ignored, ") }
      let count = notes.reduce(0) { sum, note in
        sum + note.prefix { $0 != ":" }.components(separatedBy: ", ").count { $0 == name }
      }
      #expect(count == (honoured.contains(name) ? 0 : 1), "\(name): \(settings.notes)")
    }
  }

  @Test func theFileForZooKeeperIsTaken() throws {
    let settings = try read(Self.zooKeeper)
    #expect(settings.data == "/tmp/kafka-logs")
    // Kafka would listen everywhere; who meant that says so.
    #expect(settings.broker.listen == Endpoint(host: "127.0.0.1", port: 9092))
    #expect(settings.broker.requestBytesMax == 104_857_600)
    #expect(settings.broker.defaultPartitions == 1)
    #expect(settings.store.log.retentionMs == 7 * 86_400_000)
    #expect(settings.store.retentionCheckIntervalMs == 300_000)
    expectNotes(settings, Self.zooKeeper)
    #expect(settings.notes.contains { $0.hasPrefix("num.io.threads, num.network.threads, ") })
  }

  @Test func theFileForKRaftIsTaken() throws {
    // It listens on every address.
    #expect(refusal(Self.kraft)?.contains("--insecure") == true)
    let settings = try read(Self.kraft, ("insecure", "true"))
    #expect(settings.data == "/tmp/kraft-combined-logs")
    #expect(settings.broker.listen == Endpoint(host: "0.0.0.0", port: 9092))
    #expect(settings.broker.advertised == Endpoint(host: "localhost", port: 9092))
    #expect(settings.store.log.segmentBytes == 1 << 30)
    expectNotes(settings, Self.kraft)
    let here = try read(Self.kraft, ("listen", "127.0.0.1:19092"))
    #expect(here.broker.listen == Endpoint(host: "127.0.0.1", port: 19092))
  }

  /// The file of a broker that wrote one of our fixtures.
  @Test func theFileOfABrokerThatRanIsTaken() throws {
    let lines = try TestData.lines(TestData.fixtures + "/kafka/broker-dir/server.properties")
    let text = lines.joined(separator: "\n") + "\n"
    let settings = try read(text)
    #expect(settings.data == "/var/lib/kafka/data")
    #expect(settings.broker.listen == Endpoint(host: "127.0.0.1", port: 19092))
    #expect(settings.store.log.retentionMs == -1 && settings.store.log.fileDeleteDelayMs == 500)
    expectNotes(settings, text)
  }

  /// The start says what is ignored, once.
  @Test func theStartSaysWhatIsIgnored() throws {
    let file = try directory.file("server.properties", Self.kraft.utf8)
    // An address that cannot be listened on: it ends by itself.
    let outcome = try Tool.run([
      "serve", "--config", file, "--data", directory.path("data"), "--listen", "127.0.0.300:1",
    ])
    #expect(outcome.status == 1, "\(outcome)")
    for name in ["num.io.threads", "controller.quorum.voters", "offsets.topic.replication.factor"] {
      let lines = outcome.messages.split(separator: "\n").filter { $0.contains(name) }
      #expect(lines.count == 1, "\(name): \(outcome.messages)")
      #expect(lines.first?.contains("note: ") == true && lines.first?.contains("ignored") == true)
    }
  }

  @Test(arguments: [
    ("process.roles=controller", "process.roles", "not a broker"),
    ("process.roles=broker,voter", "process.roles", "not a list of broker, controller"),
    ("log.dirs=/a,/b", "log.dirs", "several directories"),
    ("listeners=SSL://:9093", "listeners", "no encryption"),
    ("advertised.listeners=SASL_SSL://a:9093", "advertised.listeners", "no encryption"),
    ("listeners=EXTERNAL://:9\nlistener.security.protocol.map=EXTERNAL:SSL", "listeners", "no enc"),
    // The name says nothing: the map does.
    (
      "listeners=PLAINTEXT://:9\nlistener.security.protocol.map=PLAINTEXT:SSL", "listeners",
      "no enc"
    ),
    ("listeners=A://:9\nlistener.security.protocol.map=B:PLAINTEXT", "listeners", "PLAINTEXT"),
    ("listeners=C://:9\ncontroller.listener.names=C", "listeners", "no listener for clients"),
    (
      "listeners=A://:1,B://:2\nlistener.security.protocol.map=A:PLAINTEXT,B:PLAINTEXT",
      "listeners", "several listeners"
    ),
    ("ssl.keystore.location=/k", "ssl.keystore.location", "no encryption"),
    ("sasl.enabled.mechanisms=PLAIN", "sasl.enabled.mechanisms", "no authentication"),
    ("listener.name.internal.ssl.key.password=a", "listener.name.internal.ssl", "no encryption"),
    ("authorizer.class.name=a.B", "authorizer.class.name", "no authentication"),
    ("super.users=User:a", "super.users", "no authentication"),
    ("security.inter.broker.protocol=SSL", "security.inter.broker.protocol", "no encryption"),
    ("min.insync.replicas=2", "min.insync.replicas", "one replica"),
    ("default.replication.factor=3", "default.replication.factor", "one replica"),
    ("delete.topic.enable=false", "delete.topic.enable", "clients may delete topics"),
    ("create.topic.policy.class.name=a.B", "create.topic.policy.class.name", "no class of yours"),
    ("max.connections.per.ip=5", "max.connections.per.ip", "max.connections"),
    ("remote.log.storage.system.enable=true", "remote.log.storage.system.enable", "this disk"),
    ("log.flush.interval.messages=1\ndurability=os", "log.flush.interval.messages", "durability"),
    ("log.cleaner.min.cleanable.ratio=2", "log.cleaner.min.cleanable.ratio", "0.0 … 1.0"),
    ("zookeeper.conect=a", "zookeeper.conect", "'zookeeper.connect'"),
    ("num.io.thread=8", "num.io.thread", "'num.io.threads'"),
    ("offsets.topic.replicas=1", "offsets.topic.replicas", "no setting"),
  ])
  func whatWouldBreakAPromiseStopsTheStart(_ text: String, _ name: String, _ word: String) {
    let message = refusal(text + "\n", ("insecure", "true")) ?? ""
    #expect(message.contains("\(name)") && message.contains(word), "\(message)")
  }

  @Test(arguments: [
    "min.insync.replicas=1", "default.replication.factor=1", "delete.topic.enable=true",
    "log.flush.interval.messages=1", "process.roles=broker", "process.roles=",
    "security.inter.broker.protocol=PLAINTEXT", "log.preallocate=true", "compression.type=gzip",
    "listener.name.plaintext.num.network.threads=3", "max.connections.per.ip=2147483647",
    "authorizer.class.name=", "unclean.leader.election.enable=true", "log.cleaner.enable=false",
  ])
  func whatIsSoAnywayOrHarmlessIsNoted(_ text: String) throws {
    let settings = try read(text + "\n", ("data", "d"))
    let name = text.prefix { $0 != "=" }
    #expect(settings.notes.contains { $0.hasPrefix("\(name): ignored, ") }, "\(settings.notes)")
  }

  /// The protocol of a listener counts wherever it is said.
  @Test func aListenersProtocolMayBeSaidElsewhere() throws {
    let message = refusal(
      "listener.security.protocol.map=PLAINTEXT:SSL\n", ("insecure", "true"),
      ("listeners", "PLAINTEXT://localhost:9092"))
    #expect(message?.contains("no encryption") == true, "\(message ?? "taken")")
  }

  @Test func secretsAreNotTold() {
    let message = refusal("delegation.token.secret.key=hunter2\n") ?? ""
    #expect(message.contains("delegation.token.secret.key") && !message.contains("hunter2"))
  }

  @Test func moreOfKafkasNamesAreHonoured() throws {
    let settings = try read(
      """
      producer.id.expiration.ms=5000
      log.flush.offset.checkpoint.interval.ms=7000
      log.message.timestamp.difference.max.ms=9

      """, ("data", "d"))
    #expect(settings.store.producerExpirationMs == 5000)
    #expect(settings.store.checkpointIntervalMs == 7000)
    #expect(settings.store.log.timestampBeforeMaxMs == 9)
    #expect(settings.store.log.timestampAfterMaxMs == 9)
  }

  /// No name has two meanings.
  @Test func everyNameStandsInOneTable() {
    let all = ServeSettings.names + KafkaBrokerNames.all + KafkaOnlySetting.names
    #expect(Set(all).count == all.count, "\(all.count - Set(all).count) twice")
    #expect(KafkaOnlySetting.all.count > 200)
  }
}
