import Foundation
import MkstoreProcessTesting
import Testing

/// Every planted bug (`tools/planted-bugs`) still applies to the sources, and its test exists: who
/// moves the code or renames the test moves the entry too. Builds nothing.
struct PlantedBugTests {
  @Test func everyPlantedBugApplies() throws {
    let output = Pipe()
    let check = try ChildProcess(
      "/usr/bin/env", ["python3", "\(SourceTree.root)/tools/planted-bugs", "--check"],
      output: output.fileHandleForWriting, messages: output.fileHandleForWriting)
    try output.fileHandleForWriting.close()
    let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(check.wait() == .exited(0), "\(text)")
    #expect(text.contains(/^[1-9][0-9]* bugs apply/), "\(text)")
  }
}
