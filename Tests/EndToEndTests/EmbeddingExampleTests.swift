import Foundation
import Testing

/// The example of embedding runs, twice on one store, and prints what the documentation shows.
struct EmbeddingExampleTests {
  @Test func examplePrintsWhatTheDocumentationShows() throws {
    let workspace = try Workspace()
    let first = try Command.run("Embedding", [workspace("store")])
    #expect(first.status == 0, "\(first.messages)")
    let article = try Repository.text("Sources/LogStore/LogStore.docc/Embedding.md")
    let shown = try #require(article.firstMatch(of: /```text\n((?:.|\n)*?)```/))
    #expect(first.output == String(shown.output.1))
    let second = try Command.run("Embedding", [workspace("store")])
    #expect(second.status == 0, "\(second.messages)")
    #expect(second.output.hasPrefix("stopped in order last time\nappended offsets 3 to 4"))
  }

  @Test func documentationShowsTheExampleAsItIs() throws {
    let article = try Repository.text("Sources/LogStore/LogStore.docc/Embedding.md")
    let code = try Repository.text("Examples/Embedding/Embedding.swift")
    let shown = try #require(article.firstMatch(of: /```swift\n((?:.|\n)*?)```/))
    #expect(String(shown.output.1) == code)
  }

  /// The work queue that is driven through power cuts: the article's second program and output.
  @Test(.timeLimit(.minutes(5))) func theWorkQueueKeepsItsPromisesThroughPowerCuts() throws {
    let article = try Repository.text("Sources/LogStore/LogStore.docc/Embedding.md")
    let code = try Repository.text("Examples/PowerCuts/PowerCuts.swift")
    #expect(article.contains("```swift\n\(code)```"))
    let shown = article.matches(of: /```text\n((?:.|\n)*?)```/)
    let ran = try Command.run("PowerCuts", [])
    #expect(ran.status == 0, "\(ran.messages)")
    #expect(ran.output == String(try #require(shown.last).output.1))
    #expect(ran.messages.isEmpty, "the loop's logger is silent")
  }
}
