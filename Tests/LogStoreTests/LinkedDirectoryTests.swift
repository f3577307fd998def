import DiskIO
import Foundation
import RecordFormat
import Testing

@testable import LogStore

/// Directories of logs behind symbolic links, as operators make them who move one to another disk:
/// followed as a broker does, or told.
struct LinkedDirectoryTests {
  fileprivate final class Place {
    let root = NSTemporaryDirectory() + "mkstore-links-\(UUID().uuidString)"
    var store: String { root + "/store" }

    init() throws {
      try FileManager.default.createDirectory(
        atPath: root + "/elsewhere", withIntermediateDirectories: true)
    }

    deinit {
      do { try FileManager.default.removeItem(atPath: root) } catch { Issue.record(error) }
    }

    func open() throws -> Store {
      try Store.openBlocking(store, config: ProducerFixture.config(), logger: .silent)
    }

    func link(_ name: String, to target: String) throws {
      try FileManager.default.createSymbolicLink(
        atPath: "\(store)/\(name)", withDestinationPath: target)
    }

    /// Moves a log's directory out of the store and leaves a link.
    func moveOut(_ name: String) throws {
      try FileManager.default.moveItem(
        atPath: "\(store)/\(name)", toPath: "\(root)/elsewhere/\(name)")
      try link(name, to: "../elsewhere/\(name)")
    }

    func names(_ path: String) throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }
  }

  private let record = Record(offset: 0, timestamp: 1, key: nil, value: [1])

  private func place(with logs: [String]) throws -> Place {
    let place = try Place()
    let store = try place.open()
    for name in logs {
      try store.createLogBlocking(TopicPartition(directoryName: name)).appendBlocking([
        NewRecord(record)
      ])
    }
    try store.closeBlocking()
    return place
  }

  @Test func aLogBehindALinkIsReadAndWritten() throws {
    let place = try place(with: ["t-0", "u-0"])
    try place.moveOut("t-0")
    for end in Int64(1)...2 {
      let store = try place.open()
      #expect(store.report.failed.isEmpty && store.logs.count == 2)
      #expect(store.report.notes == ["t-0 is a link to a directory elsewhere; it is followed"])
      let log = try #require(store.log(TopicPartition(directoryName: "t-0")))
      #expect(log.logEndOffset == end && log.recoveryPoint == end)
      try log.appendBlocking([NewRecord(record)])
      try store.closeBlocking()
    }
    #expect(
      try LogVerifier().verify([place.store]).logs.map(\.recordCount).sorted() == [1, 3])
  }

  /// What cannot be followed is a partition that does not open, and never just not there.
  @Test func aLinkThatLeadsToNoLogOfItsOwnIsTold() throws {
    let place = try place(with: ["t-0", "u-0"])
    try Data([1]).write(to: URL(filePath: place.root + "/file"))
    try place.link("gone-0", to: "../elsewhere/nothing")
    try place.link("file-0", to: "../file")
    try place.link("loop-0", to: "loop-1")
    try place.link("loop-1", to: "loop-0")
    try place.link("twin-0", to: "t-0")
    try place.link("self-0", to: ".")
    let store = try place.open()
    let failed = Dictionary(
      uniqueKeysWithValues: store.report.failed.map {
        (PathText.lastComponent($0.directory), "\($0.error)")
      })
    #expect(failed.count == 6 && store.logs.count == 2)
    for (name, text) in [
      ("gone-0", "leads to nothing"), ("file-0", "leads to no directory"),
      ("loop-0", "cannot be followed"), ("loop-1", "cannot be followed"),
      ("twin-0", "the same directory as t-0"), ("self-0", "the store itself"),
    ] {
      #expect(failed[name]?.contains(text) == true, "\(name): \(failed[name] ?? "-")")
    }
    for log in store.logs { try log.appendBlocking([NewRecord(record)]) }
    #expect(throws: LogError.self) {
      try store.createLogBlocking(TopicPartition(directoryName: "gone-0"))
    }
    try store.closeBlocking()
    #expect(try place.names(place.store).filter { $0.hasSuffix(".log") }.isEmpty)
  }

  @Test func ofTwoLinksToOneDirectoryTheSecondIsRefused() throws {
    let place = try place(with: ["a-0", "u-0"])
    try place.moveOut("a-0")
    try place.link("b-0", to: "../elsewhere/a-0")
    let store = try place.open()
    #expect(store.topics == ["a", "u"])
    #expect(store.report.failed.map { PathText.lastComponent($0.directory) } == ["b-0"])
    try store.closeBlocking()
  }

  @Test func deletingALogBehindALinkRemovesItsFilesAndTheLink() throws {
    let place = try place(with: ["t-0", "u-0"])
    try place.moveOut("t-0")
    var store = try place.open()
    try store.deleteTopicBlocking("t")
    #expect(try store.createLogBlocking(TopicPartition(directoryName: "t-0")).logEndOffset == 0)
    try store.closeBlocking()
    #expect(try place.names(place.root + "/elsewhere") == ["t-0"])
    #expect(try place.names(place.root + "/elsewhere/t-0") == [])
    #expect(try place.names(place.store).filter { $0.hasSuffix("-delete") } == [])
    // A deletion that was interrupted goes on at the next opening.
    try place.moveItemAside("t-0")
    let name = "t-0.0123456789abcdef0123456789abcdef-delete"
    try place.link(name, to: "../aside")
    try Data().write(to: URL(filePath: place.root + "/aside/\(DeletedLog.markerName)"))
    store = try place.open()
    try store.closeBlocking()
    #expect(try place.names(place.root + "/aside") == [])
    #expect(try !place.names(place.store).contains(name))
  }
}

extension LinkedDirectoryTests.Place {
  fileprivate func moveItemAside(_ name: String) throws {
    try FileManager.default.moveItem(atPath: "\(store)/\(name)", toPath: root + "/aside")
  }
}
