import Glibc

/// A process of its own that listens on a port of loopback: the server, or what it is held against.
final class ServerProcess {
  let pid: pid_t
  let port: UInt16
  /// From before the start of the process to its word that it listens.
  let readySeconds: Double
  private let output: Int32
  private var isRunning = true

  /// - Parameter arguments: The executable's path first.
  init(_ arguments: [String]) {
    var ends: [Int32] = [0, 0]
    precondition(pipe(&ends) == 0)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
    var words = arguments.map { strdup($0) }
    words.append(nil)
    let start = nowNs()
    var child = pid_t()
    let code = posix_spawn(&child, arguments[0], &actions, nil, &words, environ)
    precondition(code == 0, "\(arguments[0]) cannot be started: \(code)")
    for word in words { free(word) }
    posix_spawn_file_actions_destroy(&actions)
    close(ends[1])
    pid = child
    output = ends[0]
    port = Self.waitForPort(output)
    readySeconds = Double(nowNs() - start) / 1e9
  }

  /// Reads until a line says `on 127.0.0.1:PORT`.
  private static func waitForPort(_ output: Int32) -> UInt16 {
    var text = ""
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(output, &buffer, buffer.count)
      precondition(count > 0, "the server did not start:\n\(text)")
      text += String(decoding: buffer[..<count], as: UTF8.self)
      for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
        guard let found = line.firstRange(of: " on 127.0.0.1:"), !line.contains("metrics") else {
          continue
        }
        let digits = line[found.upperBound...].prefix(while: \.isNumber)
        if let port = UInt16(digits) { return port }
      }
    }
  }

  /// Resident memory in bytes.
  var residentBytes: Int { status("VmRSS:") }

  private func status(_ key: String) -> Int {
    guard let file = fopen("/proc/\(pid)/status", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, 256, file) != nil {
      let text = String(
        decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      if text.hasPrefix(key) {
        return (Int(text.filter(\.isNumber)) ?? 0) * 1024
      }
    }
    return 0
  }

  /// Processor time so far, of all its threads, in seconds.
  var processorSeconds: Double {
    guard let file = fopen("/proc/\(pid)/stat", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 1024)
    guard fgets(&line, 1024, file) != nil else { return 0 }
    let text = String(
      decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let fields = text.drop { $0 != ")" }.split(separator: " ")
    return (Double(fields[12])! + Double(fields[13])!) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// Ends the process and waits for it.
  func stop(_ signal: Int32) {
    guard isRunning else { return }
    isRunning = false
    kill(pid, signal)
    // Drained, so that the last lines block nobody.
    var buffer = [UInt8](repeating: 0, count: 4096)
    while read(output, &buffer, buffer.count) > 0 {}
    close(output)
    var status: Int32 = 0
    waitpid(pid, &status, 0)
  }

  deinit { stop(SIGKILL) }

  /// The directory of this executable: the server is built beside it.
  static let products: String = {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = buffer.withUnsafeMutableBytes {
      readlink("/proc/self/exe", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
    }
    let path = String(decoding: buffer[..<max(0, count)], as: UTF8.self)
    return String(path[..<path.lastIndex(of: "/")!])
  }()

  /// One of this program's own ceilings as a process.
  static func peer(_ words: [String]) -> ServerProcess {
    ServerProcess(["\(products)/mkstore-bench", "--peer"] + words)
  }
}

/// `mkstore serve` over a directory of its own.
final class ServedStore {
  let path: String
  private let durability: String
  private let settings: [String]
  private(set) var process: ServerProcess

  init(_ name: String, durability: String = "flushed", settings: [String] = []) {
    path = "\(benchDirectory)/serve-\(name)-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    self.durability = durability
    self.settings = settings
    process = Self.start(path, durability, settings)
  }

  private static func start(_ path: String, _ durability: String, _ settings: [String])
    -> ServerProcess
  {
    let options = ["durability=\(durability)", "log.level=error", "max.connections=20000"]
    return ServerProcess(
      ["\(ServerProcess.products)/mkstore", "serve", "--data", path, "--listen", "127.0.0.1:0"]
        + (options + settings).flatMap { ["--set", $0] })
  }

  var port: UInt16 { process.port }

  /// Stops and starts the server; what is between them is left to `meanwhile`.
  func restart(_ signal: Int32, meanwhile: () -> Void = {}) {
    process.stop(signal)
    meanwhile()
    process = Self.start(path, durability, settings)
  }

  deinit {
    process.stop(SIGKILL)
    removeTree(path)
  }
}
