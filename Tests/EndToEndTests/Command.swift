import Foundation
import MkstoreProcessTesting

/// A program under test as a process of its own.
final class Command {
  private let process: ChildProcess
  private let output = Pipe()
  private let messages = Pipe()
  private var pending = Data()
  private var reachedEnd = false

  /// What a finished run gave.
  struct Outcome {
    var status: Int32
    var output: String
    var messages: String
  }

  /// A program that did not do what the test needs.
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// Starts a program.
  ///
  /// - Parameter program: A path, or the name of a product of this package.
  init(
    _ program: String = "mkstore", _ arguments: [String], input: String? = nil,
    directory: String? = nil
  ) throws {
    let file = try input.map { try FileHandle(forReadingFrom: URL(filePath: $0)) }
    process = try ChildProcess(
      program.hasPrefix("/") ? program : "\(Repository.products)/\(program)", arguments,
      directory: directory, input: file, output: output.fileHandleForWriting,
      messages: messages.fileHandleForWriting)
    // The child's copies are the last ones: when it ends, the pipes do.
    try output.fileHandleForWriting.close()
    try messages.fileHandleForWriting.close()
    try file?.close()
  }

  /// Runs a program to its end.
  static func run(
    _ program: String = "mkstore", _ arguments: [String], input: String? = nil,
    directory: String? = nil
  ) throws -> Outcome {
    try Command(program, arguments, input: input, directory: directory).finish()
  }

  /// Sends a signal.
  func signal(_ number: Int32) { process.signal(number) }

  /// The next line of standard output; nil at its end.
  func nextLine() -> String? {
    while true {
      if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
        let line = String(decoding: pending[..<end], as: UTF8.self)
        pending = Data(pending[(end + 1)...])
        return line
      }
      if reachedEnd { return nil }
      let more = output.fileHandleForReading.availableData
      if more.isEmpty { reachedEnd = true } else { pending.append(more) }
    }
  }

  /// Waits for the end. Standard error of more than a pipe holds would block; none here has.
  func finish() -> Outcome {
    var lines = ""
    while let line = nextLine() { lines += line + "\n" }
    lines += String(decoding: pending, as: UTF8.self)
    let messages = messages.fileHandleForReading.readDataToEndOfFile()
    return Outcome(
      status: process.wait().status, output: lines,
      messages: String(decoding: messages, as: UTF8.self))
  }
}
