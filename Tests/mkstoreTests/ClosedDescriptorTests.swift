import Foundation
import Testing

@testable import mkstore

/// A command that was started without standard streams harms no file, and does what it was asked.
struct ClosedDescriptorTests {
  private let directory: TemporaryDirectory
  private var log: String { directory.path("store/orders-0") }

  init() throws {
    directory = try TemporaryDirectory()
    let made = try Tool.bash("echo a | $MKSTORE append \(log) --create")
    #expect(made.status == 0)
  }

  /// Every way to close some of the three.
  private static let closings = ["<&-", ">&-", "2>&-"].reduce([""]) { all, one in
    all + all.map { "\($0) \(one)" }
  }

  @Test(arguments: closings)
  func noMessageGoesIntoAFileOfTheStore(_ closing: String) throws {
    let lines = try directory.file("lines", "b\n".utf8)
    let commands = [
      "append \(log) \(lines) --acks --progress", "append \(log) --nonsense", "fetch \(log)",
      "verify \(log)", "info \(log)", "dump \(log)/*.log", "recover \(directory.path("store"))",
    ]
    for command in commands {
      let outcome = try Tool.bash("exec $MKSTORE \(command) \(closing)")
      #expect(outcome.status == (command.contains("nonsense") ? 2 : 0), "\(command): \(outcome)")
    }
    let lock = try TestData.content(directory.path("store/.lock"))
    #expect(lock.isEmpty, "\(String(decoding: lock, as: UTF8.self))")
    #expect(try Tool.run(["fetch", log]).text == "a\nb\n")
    #expect(try Tool.run(["verify", log]).status == 0)
  }

  /// No input is not an empty one: the cause is told, as by other tools.
  @Test func appendWithoutAnInputIsAnError() throws {
    let outcome = try Tool.bash("exec $MKSTORE append \(log) <&-")
    #expect(outcome.status == 1)
    #expect(outcome.messages.contains("standard input"), "\(outcome.messages)")
    #expect(outcome.messages.contains("it is closed"), "\(outcome.messages)")
    #expect(outcome.text.contains("appended 0 records"))
    #expect(try Tool.run(["fetch", log]).text == "a\n")
    #expect(try Tool.bash("exec $MKSTORE append \(log) < /dev/null").status == 0)
  }
}
