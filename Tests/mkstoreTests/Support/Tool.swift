import Foundation
import MkstoreProcessTesting
import Testing

/// The built command, run as a process of its own.
enum Tool {
  /// What a run gave.
  struct Outcome {
    var status: Int32
    var output: Data
    var messages: String

    /// Standard output as text.
    var text: String { String(decoding: output, as: UTF8.self) }
    /// Its lines.
    var lines: [String] { text.split(separator: "\n").map(String.init) }
    /// Its lines as objects; each must be one with schema 1 and a type.
    var objects: [[String: Any]] {
      get throws {
        try lines.map { line in
          let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
          let object = try #require(value as? [String: Any], "\(line)")
          #expect(object["schema"] as? Int == 1, "\(line)")
          #expect(object["type"] is String, "\(line)")
          return object
        }
      }
    }
  }

  /// Path of the command, which is beside the test bundle.
  static let path: String = {
    let bundle = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    var directory = bundle.deletingLastPathComponent()
    while directory.path != "/" {
      let tool = directory.appending(path: "mkstore")
      let isDirectory = FileManager.default.fileExists(atPath: tool.path + "/.")
      if FileManager.default.isExecutableFile(atPath: tool.path), !isDirectory { return tool.path }
      directory.deleteLastPathComponent()
    }
    // Run by a helper from elsewhere: the products are named on the command line.
    for argument in CommandLine.arguments {
      let tool = URL(filePath: argument).deletingLastPathComponent().appending(path: "mkstore")
      if FileManager.default.isExecutableFile(atPath: tool.path) { return tool.path }
    }
    return Repository.root + "/.build/debug/mkstore"
  }()

  /// Runs the command to its end.
  @discardableResult
  static func run(
    _ arguments: [String], input: Data = Data(), directory: String? = nil
  ) throws -> Outcome {
    try run(executable: path, arguments, input: input, directory: directory)
  }

  /// Runs a line of bash, in which `$MKSTORE` is the command.
  @discardableResult
  static func bash(_ line: String, directory: String? = nil) throws -> Outcome {
    try run(executable: "/bin/bash", ["-c", line], input: Data(), directory: directory)
  }

  private static func run(
    executable: String, _ arguments: [String], input: Data, directory: String?
  ) throws -> Outcome {
    let files = try TemporaryDirectory()
    let running = try Running(
      executable: executable, arguments, files: files, input: input, directory: directory)
    return try running.outcome()
  }
}

/// A process that was started.
struct Running {
  let process: ChildProcess
  private let files: TemporaryDirectory
  /// The other end of its standard input, where that is a pipe.
  let input: FileHandle?

  /// Starts a process whose output goes to files, so that no pipe can fill up. Without `input` its
  /// standard input is a pipe that the caller holds.
  init(
    executable: String = Tool.path, _ arguments: [String], files: TemporaryDirectory,
    input: Data?, directory: String? = nil
  ) throws {
    self.files = files
    let pipe = input == nil ? Pipe() : nil
    self.input = pipe?.fileHandleForWriting
    let source =
      try pipe?.fileHandleForReading
      ?? FileHandle(forReadingFrom: URL(filePath: try files.file("stdin", input ?? Data())))
    let output = try FileHandle(forWritingTo: URL(filePath: try files.file("stdout", [])))
    let messages = try FileHandle(forWritingTo: URL(filePath: try files.file("stderr", [])))
    process = try ChildProcess(
      executable, arguments, environment: ["MKSTORE": Tool.path], directory: directory,
      input: source, output: output, messages: messages)
    for handle in [source, output, messages] { try handle.close() }
  }

  /// Standard output so far.
  var output: Data {
    get throws { try Data(contentsOf: URL(filePath: files.path("stdout"))) }
  }

  /// Waits for its end and gives what it gave; after two minutes it is killed.
  func outcome() throws -> Tool.Outcome {
    let deadline = ContinuousClock.now + .seconds(120)
    while process.isRunning {
      if ContinuousClock.now >= deadline { process.signal(SIGKILL) }
      Running.pause()
    }
    let messages = try Data(contentsOf: URL(filePath: files.path("stderr")))
    return Tool.Outcome(
      status: process.wait().status, output: try output,
      messages: String(decoding: messages, as: UTF8.self))
  }

  /// Waits until standard output holds at least `count` lines; false where the process ends first
  /// or a minute passes.
  func waitForLines(_ count: Int) throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(60)
    while try output.count(where: { $0 == 0x0A }) < count {
      guard process.isRunning, ContinuousClock.now < deadline else {
        return try output.count { $0 == 0x0A } >= count
      }
      Running.pause()
    }
    return true
  }

  /// Waits until standard error holds a text; false where the process ends first or after a minute.
  func waitForMessage(_ text: String) throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(60)
    func isThere() throws -> Bool {
      let messages = try Data(contentsOf: URL(filePath: files.path("stderr")))
      return String(decoding: messages, as: UTF8.self).contains(text)
    }
    while try !isThere() {
      guard process.isRunning, ContinuousClock.now < deadline else { return try isThere() }
      Running.pause()
    }
    return true
  }

  /// Nothing tells when a file grows or, on every thread, when a process ends: look again soon.
  private static func pause() {
    _ = poll(nil, 0, 2)
  }
}
