import DiskIO
import Glibc
import LogStore
import Logging
import MkstoreServer

/// A broker over a fresh directory, within this process, on a port of the system's choice.
final class TestBroker {
  let directory: String
  let server: BrokerServer
  let manager: Store
  let endpoint: Endpoint

  private init(
    _ directory: String, _ server: BrokerServer, _ manager: Store, _ endpoint: Endpoint
  ) {
    self.directory = directory
    self.server = server
    self.manager = manager
    self.endpoint = endpoint
  }

  /// Runs `body` with a broker and stops it.
  ///
  /// - Parameters:
  ///   - directory: An existing store; nil makes one that goes with the test.
  ///   - disk: What the store stands on.
  ///   - nowMs: The wall clock; nil: the system's.
  ///   - monotonicNs: The monotonic clock; nil: the system's.
  ///   - captured: Takes what the server says; nil: nobody.
  ///   - storeLog: Takes what the store says; nil: nobody.
  static func with(
    _ directory: String? = nil, log: LogConfig = LogConfig(), disk: any Disk = PosixDisk(),
    nowMs: (@Sendable () -> Int64)? = nil, monotonicNs: (@Sendable () -> Int64)? = nil,
    configure: (inout BrokerConfig) -> Void = { _ in },
    configureStore: (inout StoreConfig) -> Void = { _ in }, registry: PrometheusRegistry? = nil,
    heardBy captured: CapturedLog? = nil, storeHeardBy storeLog: CapturedLog? = nil,
    _ body: (TestBroker) async throws -> Void
  ) async throws {
    let path = directory ?? TemporaryDirectory.make()
    defer { if directory == nil { TemporaryDirectory.remove(path) } }
    var store = StoreConfig()
    store.createsStore = true
    store.mapsIndexes = true
    store.log = log
    let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    if let nowMs { store.nowMs = nowMs }
    if let monotonicNs { store.monotonicNs = monotonicNs }
    configureStore(&store)
    let manager = try Store.openBlocking(
      path, config: store, disk: disk, logger: storeLog?.logger ?? quiet)
    var config = BrokerConfig()
    config.listen.port = 0
    configure(&config)
    let server = try BrokerServer(
      manager, config: config, registry: registry, logger: captured?.logger ?? quiet)
    let broker = TestBroker(path, server, manager, try await server.start())
    do {
      try await body(broker)
    } catch {
      await server.stop()
      try manager.closeBlocking()
      throw error
    }
    await server.stop()
    try manager.closeBlocking()
  }

  /// A new connection.
  func connect() throws -> TestClient { try TestClient(endpoint) }
}

/// Directories for tests.
enum TemporaryDirectory {
  /// A new one, empty.
  static func make() -> String {
    let root = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    var template = Array("\(root)/mkstore-server-XXXXXX".utf8CString)
    let made = unsafe mkdtemp(&template)
    precondition(unsafe made != nil, "mkdtemp failed with error \(errno)")
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Removes one with everything in it.
  static func remove(_ path: String) {
    do throws(DiskError) {
      try remove(path, PosixDisk())
    } catch {
      preconditionFailure("\(error)")
    }
  }

  private static func remove(_ path: String, _ disk: any Disk) throws(DiskError) {
    for entry in try disk.list(path) {
      let name = "\(path)/\(entry.name)"
      if entry.kind == .directory { try remove(name, disk) } else { try disk.remove(name) }
    }
    try disk.removeDirectory(path)
  }
}
