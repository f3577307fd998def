import Testing

struct ReadmeLinkTests {
  @Test(arguments: ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"])
  func linksToFilesLeadSomewhere(document: String) throws {
    let text = try Repository.text(document)
    for link in text.matches(of: /\]\(([^)#]+)(#[^)]*)?\)/) {
      let target = String(link.output.1)
      if target.contains("://") { continue }
      #expect(Repository.exists(target), "\(document) links to \(target)")
    }
  }
}
