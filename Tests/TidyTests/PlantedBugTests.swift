import Foundation
import Testing

/// Every planted bug (`tools/planted-bugs`) still applies to the sources, and its test exists: who
/// moves the code or renames the test moves the entry too. Builds nothing.
struct PlantedBugTests {
  @Test func everyPlantedBugApplies() throws {
    let check = Process()
    check.executableURL = URL(filePath: "/usr/bin/env")
    check.arguments = ["python3", "\(SourceTree.root)/tools/planted-bugs", "--check"]
    let output = Pipe()
    check.standardOutput = output
    check.standardError = output
    try check.run()
    let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
    check.waitUntilExit()
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(check.terminationStatus == 0, "\(text)")
    #expect(text.contains(/^[1-9][0-9]* bugs apply/), "\(text)")
  }
}
