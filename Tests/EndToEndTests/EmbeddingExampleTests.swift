import Foundation
import Testing

/// The example of embedding runs, twice on one store, and prints what the documentation shows.
struct EmbeddingExampleTests {
  @Test func examplePrintsWhatTheDocumentationShows() throws {
    let workspace = try Workspace()
    let first = try Command.run("MkstoreEmbedding", [workspace("store")])
    #expect(first.status == 0, "\(first.messages)")
    let article = try Repository.text("Sources/LogStore/LogStore.docc/Embedding.md")
    let shown = try #require(article.firstMatch(of: /```text\n((?:.|\n)*?)```/))
    #expect(first.output == String(shown.output.1))
    let second = try Command.run("MkstoreEmbedding", [workspace("store")])
    #expect(second.status == 0, "\(second.messages)")
    #expect(second.output.hasPrefix("the store is clean\nappended offsets 3 to 4\n"))
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
    let ran = try Command.run("MkstorePowerCuts", [])
    #expect(ran.status == 0, "\(ran.messages)")
    #expect(ran.output == String(try #require(shown.last).output.1))
    #expect(ran.messages.isEmpty, "the loop's logger is silent")
  }

  /// The recipes run, twice on one store, and the article shows each file as it is.
  @Test func theCookbookRunsAsItIsShown() throws {
    let workspace = try Workspace()
    let first = try Command.run("MkstoreCookbook", [workspace("store")])
    #expect(first.status == 0, "\(first.messages)")
    let lines = first.output.split(separator: "\n")
    #expect(lines.first == "ledger: anna has 100, ben -100")
    #expect(lines.contains("positions: resize b.png"))
    #expect(lines.contains("tailing: [\"hello\", \"hi anna\"]"))
    #expect(lines.contains("times: the first one after 90 seconds is 22"))
    #expect(lines.contains("batching: 1000 records"))
    #expect(lines.last == "zeroCopy: all bytes were sent")
    let second = try Command.run("MkstoreCookbook", [workspace("store")])
    #expect(second.status == 0, "\(second.messages)")
    #expect(second.output.hasPrefix("ledger: anna has 100, ben -100\n"))
    let article = try Repository.text("Sources/LogStore/LogStore.docc/Cookbook.md")
    for name in ["Ledger", "Reading", "Throughput"] {
      let code = try Repository.text("Examples/Cookbook/\(name).swift")
      #expect(article.contains("```swift\n\(code)```"), "\(name)")
    }
  }
}
