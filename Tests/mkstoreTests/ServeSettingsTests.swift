import Foundation
import LogStore
import MkstoreProcessTesting
import MkstoreServer
import Testing

@testable import mkstore

/// What `mkstore serve` is told, and which directories it takes.
struct ServeSettingsTests {
  private func settings(
    _ pairs: [(name: String, value: String)], file: String? = nil
  ) throws -> ServeSettings {
    try ServeSettings(commandLine: [("data", "d")] + pairs, file: file)
  }

  /// The refusal of some settings; nil where they are taken.
  private func refusal(_ pairs: (name: String, value: String)...) -> String? {
    do {
      _ = try settings(pairs)
      return nil
    } catch {
      return (error as? CommandFailure)?.message
    }
  }

  @Test func valuesAreReadAsKafkaReadsThem() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.file(
      "c", "num.partitions = 4  \r\nauto.create.topics.enable=FALSE\t\n".utf8)
    let found = try settings([("insecure", " True ")], file: file)
    #expect(found.broker.defaultPartitions == 4)
    #expect(!found.broker.createsTopics && found.isInsecure)
    #expect(refusal(("num.partitions", "4 4"))?.contains("num.partitions") == true)
    #expect(refusal(("num.partitions", "  "))?.contains("num.partitions") == true)
  }

  @Test(arguments: ["logs.lan:0", "0.0.0.0:9092", "[::]:9092", "logs.lan", "a b:9092"])
  func addressesThatNoClientCanReachAreNotAdvertised(text: String) {
    #expect(refusal(("advertise", text))?.contains("advertise") == true)
    #expect(refusal(("advertise", "logs.lan:9092")) == nil)
  }

  @Test func aHostThatOnlyBeginsLikeLoopbackNeedsInsecure() {
    for host in ["127.0.0.1.example.com", "127.example.com"] {
      #expect(refusal(("listen", "\(host):9092"))?.contains("--insecure") == true)
      #expect(refusal(("listen", "\(host):9092"), ("insecure", "true")) == nil)
    }
  }

  // MARK: Kafka's names

  @Test func kafkasNamesAreUnderstood() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.file(
      "server.properties",
      """
      log.dirs=/data/kafka
      listeners=PLAINTEXT://:9093
      advertised.listeners=PLAINTEXT://logs.lan:9093
      log.retention.hours=168
      log.retention.minutes=2
      log.segment.bytes=1048576
      log.roll.hours=1
      log.roll.jitter.ms=7
      log.retention.bytes=-1
      message.max.bytes=900
      log.cleanup.policy=compact,delete
      log.segment.delete.delay.ms=5
      log.retention.check.interval.ms=1000
      """.utf8)
    let found = try ServeSettings(commandLine: [("insecure", "true")], file: file)
    #expect(found.data == "/data/kafka")
    #expect(found.broker.listen == Endpoint(host: "0.0.0.0", port: 9093))
    #expect(found.broker.advertised == Endpoint(host: "logs.lan", port: 9093))
    #expect(found.store.retentionCheckIntervalMs == 1000)
    let log = found.store.log
    #expect(log.retentionMs == 120_000, "minutes come before hours")
    #expect(log.segmentBytes == 1_048_576 && log.segmentMs == 3_600_000)
    #expect(log.segmentJitterMs == 7 && log.retentionBytes == -1 && log.maxMessageBytes == 900)
    #expect(log.cleanupPolicy == [.compact, .delete] && log.fileDeleteDelayMs == 5)
    // Where a setting was made comes before the name that it was made by.
    let over = try settings([("log.retention.hours", "1"), ("insecure", "true")], file: file)
    #expect(over.store.log.retentionMs == 3_600_000)
    for order in [0, 1] {
      let both = [("log.retention.ms", "5"), ("retention.ms", "6")]
      let found = try settings(order == 0 ? both : both.reversed())
      #expect(found.store.log.retentionMs == 6)
    }
    #expect(try settings([("log.retention.hours", "-1")]).store.log.retentionMs == -1)
  }

  @Test func theDefaultOfRetentionIsKafkas() throws {
    let log = try settings([]).store.log
    #expect(log.retentionMs == 604_800_000 && log.retentionBytes == -1)
    let text = RetentionNotice.ofNewTopics(log)
    #expect(text.hasSuffix("for 7 days (retention.ms 604800000)"))
    let size = try settings([("retention.ms", "-1"), ("retention.bytes", "77")]).store.log
    #expect(RetentionNotice.ofNewTopics(size).contains("77 bytes"))
    let compacted = try settings([("cleanup.policy", "compact")]).store.log
    #expect(RetentionNotice.ofNewTopics(compacted).contains("for ever"))
    #expect(refusal(("retention.ms", "-2"))?.contains("retention.ms") == true)
  }

  @Test(arguments: [
    ("listeners", "SSL://:9093", "no encryption"),
    ("listeners", "SASL_PLAINTEXT://localhost:9093", "no authentication"),
    ("listeners", "PLAINTEXT://a:1,SSL://b:2", "several listeners"),
    ("listeners", "CONTROLLER://:9093", "PLAINTEXT"), ("listeners", "localhost:9092", "PROTOCOL"),
    ("ssl.keystore.location", "/k", "no encryption"),
    ("sasl.enabled.mechanisms", "PLAIN", "no authentication"),
    ("authorizer.class.name", "a.B", "no authentication"), ("log.dirs", "/a,/b", "several"),
    ("log.retention.hours", "soon", "not a number"),
    ("log.retention.hours", "9223372036854775807", "too large"),
    ("num.partition", "3", "'num.partitions'"), ("log.retention.hour", "3", "log.retention.hours"),
  ])
  func whatCannotBeTakenOverStopsTheStart(name: String, value: String, word: String) {
    let message = refusal((name, value)) ?? ""
    #expect(message.contains(name) && message.contains(word), "\(message)")
  }

  @Test func variablesOfTheEnvironmentMayHaveKafkasNames() throws {
    let found = try ServeSettings.kafkaVariables([
      "MKSTORE_LOG_RETENTION_HOURS": "2", "MKSTORE_NUM_PARTITIONS": "3", "HOME": "/",
    ])
    #expect(found.map(\.name) == ["log.retention.hours"] && found.map(\.value) == ["2"])
    #expect(throws: CommandFailure.self) {
      try ServeSettings.kafkaVariables(["MKSTORE_SSL_KEYSTORE_LOCATION": "/k"])
    }
  }

  @Test func topicsThatNothingIsDeletedOfAreNamed() {
    #expect(RetentionNotice.unconfirmed([], store: "d") == nil)
    let one = RetentionNotice.unconfirmed(["a"], store: "d") ?? ""
    #expect(one.contains("1 topic ") && one.contains("mkstore topics alter d a --confirm"))
    let many = RetentionNotice.unconfirmed((0..<5000).map { "t\($0)" }, store: "d") ?? ""
    #expect(many.contains("t9 and 4990 more") && !many.contains("t10") && many.count < 400)
  }

  @Test func unknownVariablesAreSaid() throws {
    var found = try settings([])
    let known = found.notes
    found.noteUnknownVariables([
      "HOME", "MKSTORE_NUM_PARTITIONS", "MKSTORE_NUM_PARTITION", "MKSTORE_ADMIN_LISTEN",
      "MKSTORE_LOG_RETENTION_HOURS",
    ])
    #expect(found.notes.last?.contains("(MKSTORE_NUM_PARTITIONS is one)") == true)
    #expect(
      found.notes.dropFirst(known.count).map { $0.prefix { $0 != " " } } == [
        "MKSTORE_NUM_PARTITION"
      ])
  }

  @Test func whatIsNoFileIsNoConfiguration() throws {
    let directory = try TemporaryDirectory()
    for (path, word) in [(directory.path, "regular file"), (directory.path("none"), "no such")] {
      do {
        _ = try settings([], file: path)
        Issue.record("\(path) was read")
      } catch let error as CommandFailure {
        #expect(error.message?.contains(word) == true, "\(error)")
      }
    }
  }

  // MARK: Directories

  private func serve(_ data: String, _ more: String...) throws -> Tool.Outcome {
    // An address that cannot be listened on: whoever gets that far ends by itself.
    try Tool.run(["serve", "--data", data, "--listen", "127.0.0.300:1"] + more)
  }

  @Test func aDirectoryOfOtherThingsIsNotTakenForAStore() throws {
    let directory = try TemporaryDirectory()
    _ = try directory.file("notes.txt", "x".utf8)
    try FileManager.default.createDirectory(
      atPath: directory.path("gtk-2/0"), withIntermediateDirectories: true)
    try FileManager.default.createDirectory(
      atPath: directory.path("polkit-1"), withIntermediateDirectories: true)
    let before = TestData.names(in: directory.path)
    let refused = try serve(directory.path)
    #expect(refused.status == 2 && refused.messages.contains("is not a store"))
    #expect(TestData.names(in: directory.path) == before)
  }

  /// A volume that is not mounted: no store is made in its place.
  @Test(arguments: ["--must-exist", "--set must.exist=true", "environment"])
  func aMissingOrEmptyDirectoryIsRefusedWhereTheStoreMustExist(_ how: String) throws {
    let directory = try TemporaryDirectory()
    for path in ["empty", "formatted/lost+found"] {
      try FileManager.default.createDirectory(
        atPath: directory.path(path), withIntermediateDirectories: true)
    }
    let before = TestData.names(in: directory.path)
    let asked = how == "environment" ? "" : how
    let prefix = how == "environment" ? "MKSTORE_MUST_EXIST=true " : ""
    func start(_ data: String, _ options: String) throws -> Tool.Outcome {
      try Tool.bash(
        "\(prefix)$MKSTORE serve --data \(directory.path(data)) --listen 127.0.0.300:1 \(options)")
    }
    for data in ["missing", "missing/below", "empty", "formatted"] {
      let refused = try start(data, asked)
      #expect(refused.status == 1, "\(refused)")
      #expect(
        refused.messages.contains("\(directory.path(data)) is missing or empty"), "\(refused)")
      #expect(TestData.names(in: directory.path) == before)
      #expect(Set(TestData.names(in: directory.path(data))).isSubset(of: ["lost+found"]))
    }
    // A store that is there is opened, and goes as far as the address.
    let made = try Tool.bash("echo a | $MKSTORE append \(directory.path("store"))/t-0 --create")
    #expect(made.status == 0)
    let opened = try start("store", asked)
    #expect(opened.status == 1 && opened.messages.contains("opened 1 logs"), "\(opened)")
    // Without it a new store is made.
    _ = try Tool.bash(
      "$MKSTORE serve --data \(directory.path("empty")) --listen 127.0.0.300:1")
    #expect(TestData.names(in: directory.path("empty")).contains("meta.properties"))
  }

  @Test func tooFewOpenFilesAreRefusedBeforeAnythingIsMade() throws {
    let directory = try TemporaryDirectory()
    let data = directory.path("data")
    let outcome = try Tool.bash(
      "ulimit -n 16; exec \"$MKSTORE\" serve --data \(data) --listen 127.0.0.300:1")
    #expect(outcome.status == 1, "\(outcome)")
    #expect(outcome.messages.contains("ulimit -n") && outcome.messages.contains("16"))
    #expect(!FileManager.default.fileExists(atPath: data))
  }

  @Test func storesAndEmptyDirectoriesAreTaken() throws {
    let directory = try TemporaryDirectory()
    let made = try TemporaryDirectory()
    try FileManager.default.createDirectory(
      atPath: made.path("lost+found"), withIntermediateDirectories: true)
    let copied = try TemporaryDirectory()
    _ = try copied.copy(TestData.kafka("codec-lz4"), to: "codec-lz4-0")
    for path in [directory.path("missing"), made.path, copied.path, directory.path("missing")] {
      let outcome = try serve(path)
      #expect(outcome.status == 1 && outcome.messages.contains("cannot listen"), "\(outcome)")
    }
    let file = try serve(try directory.file("file", []))
    #expect(file.status == 1 && file.messages.contains("Not a directory"), "\(file)")
  }

  @Test func aStoreWithoutLogsIsVerified() throws {
    let directory = try TemporaryDirectory()
    #expect(try serve(directory.path).status == 1)
    _ = try directory.file("mkstore.producer-ids", "version: 0\nnext_producer_id: 1000\n".utf8)
    let verified = try Tool.run(["verify", directory.path])
    #expect(verified.status == 0 && verified.text.hasPrefix("ok: 0 records"), "\(verified)")
    #expect(verified.messages.isEmpty, "\(verified.messages)")
    #expect(try Tool.run(["verify", try TemporaryDirectory().path]).status == 1)
  }

  // MARK: Signals

  /// SIGHUP is what a closed terminal sends; with nohup it is ignored and stays so.
  @Test func aHangUpEndsTheServerInOrder() throws {
    let files = try TemporaryDirectory()
    let server = try Running(
      executable: "/usr/bin/env",
      [
        "--default-signal=HUP", Tool.path, "serve", "--data", files.path("data"), "--listen",
        "127.0.0.1:0",
      ], files: files, input: nil)
    #expect(try server.waitForMessage("ready after"))
    server.process.signal(SIGHUP)
    let outcome = try server.outcome()
    #expect(outcome.status == 0 && outcome.messages.contains("everything is durable"))
    #expect(TestData.names(in: files.path("data")).contains(".kafka_cleanshutdown"))
  }
}
