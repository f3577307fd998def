import Foundation
import Testing

/// The clients that `ServeTests` drives.
enum ServeClients {
  /// The binary they drive.
  static let server =
    ProcessInfo.processInfo.environment["MKSTORE_SERVER"] ?? "\(Repository.products)/mkstore"

  /// Whether the clients are there.
  static let areInstalled: Bool = {
    guard let python = OtherReaders.python else { return false }
    do {
      let probe = try Command.run(python, ["-c", "import confluent_kafka, kafka, aiokafka"])
      return probe.status == 0
        && FileManager.default.isExecutableFile(atPath: "/usr/bin/kcat")
    } catch {
      return false
    }
  }()

  /// Whether Kafka's own Java client is there, and a Java that compiles.
  static let javaIsInstalled: Bool = {
    guard let jars = ProcessInfo.processInfo.environment["MKSTORE_KAFKA_CLIENTS"] else {
      return false
    }
    do {
      let files = try FileManager.default.contentsOfDirectory(atPath: jars)
      guard files.contains(where: { $0.hasPrefix("kafka-clients-") }) else { return false }
      return try Command.run("/usr/bin/env", ["javac", "-version"]).status == 0
    } catch {
      return false
    }
  }()
}

/// `mkstore serve` driven by clients that are not ours: kcat, confluent-kafka, kafka-python,
/// aiokafka and Kafka's Java client.
///
/// The scenarios are those of `Tests/Clients/clients.py`, which starts and stops the server; each
/// fails with a line that says what was not as it must be. `MKSTORE_SERVER` names the binary, which
/// `tools/test` sets to the release one; without it the debug one is driven.
@Suite(
  .enabled(
    if: ServeClients.areInstalled,
    "needs kcat and a Python with Kafka clients (MKSTORE_PYTHON); tools/test installs both"),
  .serialized)
struct ServeTests {
  private func run(_ scenario: String, _ arguments: String...) throws {
    let python = try #require(OtherReaders.python)
    let outcome = try Command.run(
      python,
      [
        "\(Repository.root)/Tests/Clients/clients.py", ServeClients.server, scenario,
      ] + arguments)
    #expect(outcome.status == 0, "\(outcome.messages)")
  }

  @Test(arguments: ["confluent", "kafka-python", "aiokafka", "kcat"])
  func clientsProduceConsumeAndAdminister(scenario: String) throws { try run(scenario) }

  /// Produce with every codec, consume, administer; segments are read by Kafka's own classes.
  /// Through stops and kills; around rot.
  @Test(
    .enabled(
      if: ServeClients.javaIsInstalled,
      "needs javac and the jars of kafka-clients (MKSTORE_KAFKA_CLIENTS); tools/test gets both"),
    arguments: ["java", "java-restarts", "java-rot"])
  func kafkasOwnJavaClientIsServed(scenario: String) throws { try run(scenario) }

  /// The large file where it is there (`MKSTORE_SHARED`, else `../shared`), else the bundled one.
  @Test func realDataComesOutAsItWentIn() throws {
    let shared =
      ProcessInfo.processInfo.environment["MKSTORE_SHARED"] ?? "\(Repository.root)/../shared"
    let large = "\(shared)/data/flights-large.ndjson"
    let small = "\(Repository.root)/Tests/Fixtures/data/flights-small.ndjson"
    try run("flights", FileManager.default.fileExists(atPath: large) ? large : small)
  }

  /// The README's session with the broker does what it says; on a free port.
  @Test func theReadmeSessionWorks() throws {
    let readme = try Repository.text("README.md")
    let session = try #require(
      readme.firstMatch(of: /## The broker\n\n```sh\n((?:.|\n)*?)```/)
    ).output.1
    let python = try #require(OtherReaders.python)
    let findPort = """
      import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])
      """
    let port = try Command.run(python, ["-c", findPort]).output.dropLast()
    let commands = session.replacing("localhost:9092", with: "localhost:\(port)")
      .replacing("--data data", with: "--data data --listen 127.0.0.1:\(port)")
      .replacing("mkstore ", with: "'\(ServeClients.server)' ")
    let workspace = try Workspace()
    try FileManager.default.copyItem(
      atPath: "\(Repository.root)/Tests/Fixtures/data/flights-small.ndjson",
      toPath: workspace("flights.ndjson"))
    // A server that is left behind would keep the pipe open, and the test would never end.
    let preparation = "set -e -o pipefail -m; trap 'kill %1 2>/dev/null || true' EXIT"
    let outcome = try Command.run(
      "/bin/bash", ["-c", "\(preparation)\n\(commands)"], directory: workspace.path)
    #expect(outcome.status == 0, "\(outcome.messages)")
    #expect(outcome.output.contains("ok: 1924 records"))
  }

  /// As often as `SERVE_KILLS` says; 20 times where it is not set.
  @Test func acknowledgedRecordsSurviveKillsExactlyOnceInOrder() throws { try run("kills") }

  @Test func producersAndConsumersGoOnThroughRestarts() throws { try run("restarts") }

  @Test func everyClientGoesOnAfterARestart() throws { try run("go-on") }

  /// P32, as clients see it.
  @Test func aStoppedProcessGoesOn() throws { try run("pauses") }

  @Test func aSecondSignalStopsAtOnce() throws { try run("second-signal") }

  @Test func hostileBytesDisturbNobody() throws { try run("hostile") }

  @Test func rottenBytesAreNeverServed() throws { try run("rot") }

  /// P4, as clients see it.
  @Test func damagedFilesEndNoServer() throws { try run("damaged-files") }

  @Test func anyRottenBitIsNeverServed() throws { try run("rotten-bits") }

  /// P14, where the page was served before, left the cache, and came back rotten.
  @Test func rotBelowAnEvictedPageIsNeverServed() throws { try run("evicted") }

  /// P7, as clients see it.
  @Test(.enabled(if: LoopDisk.obstacle == nil, "\(LoopDisk.obstacle ?? "")"))
  func aFullDiskIsSurvived() throws {
    let disk = try LoopDisk()
    try run("full-disk", disk.mountPoint)
  }

  @Test func connectionsWaitForDescriptorsAndTheProcessorRests() throws { try run("descriptors") }

  @Test func aRemovedDirectoryIsNoticed() throws { try run("removed") }

  @Test func settingsComeFromTheCommandLineTheEnvironmentAndAFile() throws { try run("settings") }

  @Test func metricsAndHealthAreServed() throws { try run("metrics") }

  @Test(
    .enabled(
      if: FileManager.default.isExecutableFile(atPath: "/usr/bin/strace"), "needs strace"))
  func steadyFetchesMoveTheirPayloadBySendfileAlone() throws { try run("system-calls") }
}
