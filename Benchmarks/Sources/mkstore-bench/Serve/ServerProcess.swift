import Glibc

/// A process of its own that listens on a port of loopback: the server, or what it is held against.
final class ServerProcess {
  let pid: pid_t
  let port: UInt16
  /// From before the start of the process to its word that it listens.
  let readySeconds: Double
  private let output: Int32
  private var isRunning = true

  /// - Parameters:
  ///   - arguments: The executable's path first.
  ///   - environment: Variables beside this process's own.
  init(_ arguments: [String], environment: [String] = []) {
    var ends: [Int32] = [0, 0]
    precondition(pipe(&ends) == 0)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
    var words = arguments.map { strdup($0) }
    words.append(nil)
    var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) }
    defer { for variable in variables.prefix(environment.count) { free(variable) } }
    var inherited = environ
    while let variable = inherited.pointee {
      variables.append(variable)
      inherited += 1
    }
    variables.append(nil)
    let start = nowNs()
    var child = pid_t()
    let code = posix_spawn(&child, arguments[0], &actions, nil, &words, variables)
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
    guard let directory = opendir("/proc/\(pid)/task") else { return 0 }
    defer { closedir(directory) }
    var nanoseconds = 0.0
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard let file = fopen("/proc/\(pid)/task/\(name)/schedstat", "r") else { continue }
      defer { fclose(file) }
      var line = [CChar](repeating: 0, count: 128)
      guard fgets(&line, 128, file) != nil else { continue }
      nanoseconds += strtod(line, nil)
    }
    return nanoseconds / 1e9
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
  /// The server's allocations, where they are counted.
  private let counter: AllocationFile?

  init(
    _ name: String, durability: String = "flushed", settings: [String] = [],
    countsAllocations: Bool = false
  ) {
    counter = countsAllocations ? AllocationFile() : nil
    path = "\(benchDirectory)/serve-\(name)-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    self.durability = durability
    self.settings = settings
    process = Self.start(path, durability, settings, counter)
  }

  private static func start(
    _ path: String, _ durability: String, _ settings: [String], _ counter: AllocationFile?
  ) -> ServerProcess {
    let options = [
      "durability=\(durability)", "log.level=error", "max.connections=20000", "retention.ms=-1",
    ]
    return ServerProcess(
      ["\(ServerProcess.products)/mkstore", "serve", "--data", path, "--listen", "127.0.0.1:0"]
        + (options + settings).flatMap { ["--set", $0] },
      environment: counter?.environment ?? [])
  }

  /// Allocations of the server so far, all threads.
  var allocations: UInt64 { counter?.count ?? 0 }

  var port: UInt16 { process.port }

  /// Stops and starts the server; what is between them is left to `meanwhile`.
  func restart(_ signal: Int32, meanwhile: () -> Void = {}) {
    process.stop(signal)
    meanwhile()
    process = Self.start(path, durability, settings, counter)
  }

  deinit {
    process.stop(SIGKILL)
    removeTree(path)
  }
}

/// A file in memory in which a process counts its allocations.
private final class AllocationFile {
  private let path = "/dev/shm/mkstore-bench-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
  private let descriptor: Int32

  init() {
    descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    precondition(descriptor >= 0 && ftruncate(descriptor, 8) == 0, "\(path): \(errno)")
  }

  var environment: [String] {
    [
      "LD_PRELOAD=\(ServerProcess.products)/libMallocCounter.so", "MALLOC_COUNTER_FILE=\(path)",
    ]
  }

  var count: UInt64 {
    var value: UInt64 = 0
    precondition(pread(descriptor, &value, 8, 0) == 8)
    return value
  }

  deinit {
    close(descriptor)
    unlink(path)
  }
}
