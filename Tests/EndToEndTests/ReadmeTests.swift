import Foundation
import Testing

/// The README's session is true: its commands are run, and print what stands there.
struct ReadmeTests {
  /// One command of the session and what the README says it prints.
  private struct Step {
    var command: String
    var output: String
  }

  private static func session() throws -> [Step] {
    let readme = try Repository.text("README.md")
    let block = try #require(readme.firstMatch(of: /```console\n((?:.|\n)*?)```/)).output.1
    var steps: [Step] = []
    for line in block.split(separator: "\n") {
      if line.hasPrefix("$ ") {
        steps.append(Step(command: String(line.dropFirst(2)), output: ""))
      } else if !steps.isEmpty {
        steps[steps.count - 1].output += line + "\n"
      }
    }
    return steps
  }

  @Test func sessionPrintsWhatTheReadmeShows() throws {
    let workspace = try Workspace()
    try FileManager.default.copyItem(
      atPath: Repository.root + "/Tests/Fixtures/data/flights-small.ndjson",
      toPath: workspace("flights.ndjson"))
    let steps = try Self.session()
    #expect(steps.count == 3)
    for step in steps {
      #expect(step.command.hasPrefix("mkstore "))
      let outcome = try Command.run(
        "/bin/bash", ["-c", "PATH='\(Repository.products)':$PATH; \(step.command)"],
        directory: workspace.path)
      #expect(outcome.status == 0, "\(step.command): \(outcome.messages)")
      #expect(outcome.output == step.output, "\(step.command)")
    }
  }

  /// tools/demo runs the same three commands.
  @Test func demoRunsTheSameSession() throws {
    let demo = try Repository.text("tools/demo")
    for step in try Self.session() {
      #expect(demo.contains("\nrun \"\(step.command)\"\n"), "\(step.command)")
    }
  }

  /// The program of the library's section is `ReadmeProgram`, which runs.
  @Test func libraryProgramRuns() async throws {
    let trimmed = { (text: Substring) in
      text.split(separator: "\n").map { String($0.drop { $0 == " " }) }
    }
    let readme = try Repository.text("README.md")
    let shown = trimmed(try #require(readme.firstMatch(of: /```swift\n((?:.|\n)*?)```/)).output.1)
      .filter { !$0.hasPrefix("import ") }.joined(separator: "\n")
    let compiled = trimmed(try Repository.text("Tests/EndToEndTests/ReadmeProgram.swift")[...])
      .joined(separator: "\n")
    #expect(compiled.contains(shown.replacing("open(\"orders\",", with: "open(path,")))
    let workspace = try Workspace()
    #expect(try await ReadmeProgram.run(workspace("orders")) == 3)
  }

  /// The table of exit codes is the command's own.
  @Test func exitCodesAreThoseOfTheHelp() throws {
    let readme = try Repository.text("README.md")
    let help = try Command.run("mkstore", ["--help"]).output.replacing("\n", with: " ")
    let codes = readme.matches(of: /(?m)^\| ([0-9]+) \| (.*) \|$/).map { $0.output.1 }
    #expect(codes == ["0", "1", "2", "3", "5", "6", "130"])
    let status = try #require(help.firstMatch(of: /EXIT STATUS: (.*?)\./)).output.1
    for code in codes { #expect(status.contains("\(code) "), "\(code)") }
  }
}
