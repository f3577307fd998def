import Foundation
import Testing

/// The commands end with the statuses of the table in docs/durability.md#what-the-commands-say.
struct ExitStatusTableTests {
  /// A row of the table: what is in the directory, and each command's status; nil: not run.
  struct Row: Sendable, CustomTestStringConvertible {
    var directory: String
    var statuses: [Int32?]
    var testDescription: String { directory }
  }

  /// The table's columns.
  private static let commands = [
    ["verify"], ["recover", "--dry-run"], ["recover"], ["verify"],
    ["recover", "--drop-kept", "--dry-run"], ["recover", "--drop-kept"],
    ["trim", "--before-offset", "1"], ["truncate", "--from-offset", "2"],
  ]
  /// Those that take a log.
  private static let ofLog = ["trim", "truncate"]

  /// The table; of several statuses in a cell the first one is that of the directory made here.
  static let rows: [Row] = {
    do {
      let lines = try TestData.lines(Repository.root + "/docs/durability.md")
      let section = lines.drop { $0 != "### What the commands say" }
      let table = section.drop { !$0.hasPrefix("| in the directory |") }.dropFirst(2)
      return table.prefix { $0.hasPrefix("|") }.map { line in
        let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        return Row(
          directory: cells[0],
          statuses: cells.dropFirst().map { cell in
            cell == "–" ? nil : Int32(cell.prefix { $0.isNumber }) ?? -1
          })
      }
    } catch {
      return []
    }
  }()

  private let directory: TemporaryDirectory
  private var store: String { directory.path("store") }
  private var segment: String { "\(store)/orders-0/00000000000000000000.log" }

  init() throws { directory = try TemporaryDirectory() }

  /// The store's one log holds three batches, and bytes that an earlier opening kept.
  private func makeStore() throws {
    for line in ["a\n", "b\n", "c\n"] {
      let made = try Tool.run(
        ["append", "\(store)/orders-0", "--create"], input: Data(line.utf8))
      try #require(made.status == 0, "\(made.messages)")
    }
    try FileManager.default.createDirectory(
      atPath: "\(store)/orders-0/.bad", withIntermediateDirectories: false)
    _ = try directory.file("store/orders-0/.bad/00000000000000000000.log@0+1", [1])
  }

  private func flipBit() throws {
    var bytes = try TestData.content(segment)
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: URL(filePath: segment))
  }

  /// A link to itself: no right to open it helps, not even root's.
  private func makeUnopenable() throws {
    let mark = "\(store)/orders-0/mkstore.mark"
    try FileManager.default.removeItem(atPath: mark)
    try FileManager.default.createSymbolicLink(
      atPath: mark, withDestinationPath: "mkstore.mark")
  }

  /// Makes what a row tells of; the writer that uses the store, if it tells of one.
  private func make(_ row: Row) throws -> Running? {
    switch row.directory.split(separator: ",").first {
    case "nothing wrong": try makeStore()
    case "an unfinished write":
      try makeStore()
      let torn = TestData.fixtures + "/kafka/unclean-torn/unclean-0"
      _ = try directory.copy(torn, to: "store/unclean-0")
      try FileManager.default.removeItem(atPath: "\(store)/.kafka_cleanshutdown")
    case "damaged or lost records":
      try makeStore()
      try flipBit()
    case "a file that may not be opened or read":
      try makeStore()
      try makeUnopenable()
    case "both of the last two":
      try makeStore()
      try makeUnopenable()
      _ = try directory.copy(TestData.kafka("unclean-bitflip-mid"), to: "store/unclean-0")
    case "something in `.bad/` that no opening put there":
      try makeStore()
      try FileManager.default.createDirectory(
        atPath: "\(store)/orders-0/.bad/copies", withIntermediateDirectories: false)
    case "the store is in use":
      try makeStore()
      let writer = try Running(
        ["append", "\(store)/orders-0", "--acks", "--linger", "0"], files: directory, input: nil)
      try #require(writer.input).write(contentsOf: Data("d\n".utf8))
      try #require(try writer.waitForLines(1))
      return writer
    case "nothing: it is empty":
      try FileManager.default.createDirectory(
        atPath: store, withIntermediateDirectories: false)
    case "(there is no such directory)": break
    case "no store and no log":
      try FileManager.default.createDirectory(
        atPath: store, withIntermediateDirectories: false)
      _ = try directory.file("store/notes.txt", [1])
    default: Issue.record("no test makes the directory of this row: \(row.directory)")
    }
    return nil
  }

  @Test func theTableIsThere() {
    #expect(Self.rows.count == 10)
    #expect(Self.rows.allSatisfy { $0.statuses.count == Self.commands.count }, "\(Self.rows)")
  }

  @Test(arguments: Self.rows) func eachCommandEndsAsTheTableSays(_ row: Row) throws {
    let writer = try make(row)
    for (command, status) in zip(Self.commands, row.statuses) {
      guard let status else { continue }
      let path = Self.ofLog.contains(command[0]) ? "\(store)/orders-0" : store
      let outcome = try Tool.run(command + [path])
      #expect(outcome.status == status, "\(command): \(outcome)")
    }
    if let writer {
      try #require(writer.input).close()
      #expect(try writer.outcome().status == 0)
    }
  }
}
