import Foundation
import Glibc
import LogStore
import MkstoreProtocol
import MkstoreServer
import Testing

/// The client behind `mkstore topics --broker`, against our broker and against what is none.
@Suite struct TopicAdminTests {
  @Test func topicsAreMadeDescribedChangedAndDeleted() async throws {
    try await TestBroker.with { broker in
      let admin = try TopicAdmin(broker.endpoint)
      #expect(try admin.topics() == [])
      try admin.create("b", partitions: 3, settings: ["retention.ms": "60000"])
      try admin.create("a", partitions: 1, settings: [:])
      #expect(try admin.topics().map(\.name) == ["a", "b"])
      #expect(try admin.topics().map(\.partitionCount) == [1, 3])
      #expect(try admin.describe("a").settings == [])
      try admin.alter("b", set: ["segment.bytes": "1048576"], unset: ["retention.ms"])
      let told = try admin.describe("b")
      #expect(told.topic.name == "b" && told.topic.partitionCount == 3)
      #expect(told.settings.map(\.name) == ["segment.bytes"])
      #expect(told.settings.map(\.value) == ["1048576"])
      // Seen by the broker, not only by ourselves.
      let log = try #require(broker.server.broker.log("b", 2))
      #expect(log.overrides.values == ["segment.bytes": "1048576"])
      try admin.delete("b")
      #expect(try admin.topics().map(\.name) == ["a"])
    }
  }

  @Test func whatTheBrokerRefusesIsToldInItsWords() async throws {
    try await TestBroker.with { broker in
      let admin = try TopicAdmin(broker.endpoint)
      try admin.create("a", partitions: 1, settings: [:])
      func refusal(_ body: () throws(AdminError) -> Void) -> String {
        do throws(AdminError) {
          try body()
          return ""
        } catch {
          return "\(error)"
        }
      }
      let again = refusal { () throws(AdminError) in
        try admin.create("a", partitions: 1, settings: [:])
      }
      #expect(again.contains("\(broker.endpoint) refused to create a"))
      #expect(again.contains(ErrorCode.topicAlreadyExists.name))
      let wrong = refusal { () throws(AdminError) in
        try admin.alter("a", set: ["retention.ms": "soon"], unset: [])
      }
      #expect(wrong.contains("retention.ms") && wrong.contains(ErrorCode.invalidConfig.name))
      for missing in [
        refusal { () throws(AdminError) in _ = try admin.describe("none") },
        refusal { () throws(AdminError) in try admin.delete("none") },
      ] {
        #expect(missing.contains(ErrorCode.unknownTopicOrPartition.name), "\(missing)")
      }
      #expect(try admin.topics().map(\.name) == ["a"], "asking made no topic")
    }
  }

  @Test func whereNothingListensIsSaid() async throws {
    // A port that was free a moment ago.
    var free = Endpoint(host: "127.0.0.1", port: 0)
    try await TestBroker.with { broker in free = broker.endpoint }
    let endpoint = free
    let error = #expect(throws: AdminError.self) { try TopicAdmin(endpoint) }
    #expect("\(try #require(error))".hasPrefix("cannot connect to \(endpoint): "))
  }

  /// A peer that says something else, hangs up or says nothing: each ends with a sentence, in time.
  @Test(arguments: [
    ("HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak Kafka's protocol"),
    ("", "closed the connection"), (nil, "did not answer within 1 s"),
  ])
  func aPeerThatIsNoBrokerIsToldFromOne(_ says: String?, _ told: String) throws {
    let peer = try Peer()
    peer.answerOnce(says.map { Array($0.utf8) })
    let error = #expect(throws: AdminError.self) {
      try TopicAdmin(peer.endpoint, timeoutSeconds: 1)
    }
    #expect("\(try #require(error))".contains(told), "\(String(describing: error))")
  }

  /// What a Kafka 3.9 broker answered to its own clients, replayed: each call takes the version
  /// that both sides speak, and understands Kafka's bytes.
  @Test func kafkasOwnAnswersAreUnderstood() throws {
    let peer = try Peer()
    let asked = peer.answerAll { api, version in
      // The versions that the broker told, and with them the newest of each API.
      switch (api, version) {
      case (18, 0): "ApiVersions-v0-aiokafka"
      case (3, 12): "Metadata-v12-confluent-trailing-bytes"
      case (19, 7): "CreateTopics-v7-java"
      case (20, 6): "DeleteTopics-v6-java"
      case (32, 4): "DescribeConfigs-v4-java"
      case (44, 1): "IncrementalAlterConfigs-v1-confluent"
      default: nil
      }
    }
    let admin = try TopicAdmin(peer.endpoint, timeoutSeconds: 10)
    try admin.create("jv239191", partitions: 1, settings: [:])
    try admin.alter("adm-g-confluent-27792", set: ["retention.ms": "100000"], unset: [])
    #expect(
      try admin.topics().map(\.name) == ["__consumer_offsets", "__transaction_state", "ev"])
    let described = try admin.describe("ev")
    #expect(described.topic.name == "ev" && described.topic.partitionCount == 1)
    #expect(described.settings == [], "no setting of its own")
    try admin.delete("jv239191")
    #expect(
      asked.withLock { $0 } == [
        "ApiVersions-v0-aiokafka", "CreateTopics-v7-java", "IncrementalAlterConfigs-v1-confluent",
        "Metadata-v12-confluent-trailing-bytes", "Metadata-v12-confluent-trailing-bytes",
        "DescribeConfigs-v4-java",
        "DeleteTopics-v6-java",
      ])
  }
}

/// Something that listens and is no broker.
private struct Peer {
  let endpoint: Endpoint
  private let listener: Int32

  init() throws {
    let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try #require(fd >= 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = unsafe withUnsafeMutablePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(fd, $0, size) == 0 && listen(fd, 1) == 0 ? getsockname(fd, $0, &size) : -1
      }
    }
    try #require(code == 0)
    listener = fd
    endpoint = Endpoint(host: "127.0.0.1", port: Int(UInt16(bigEndian: address.sin_port)))
  }

  /// Takes a connection on a thread of its own, waits for what it is asked, and answers so.
  ///
  /// - Parameter bytes: Nothing: it hangs up; nil: it stays silent.
  func answerOnce(_ bytes: [UInt8]?) {
    let listener = listener
    Thread.detachNewThread {
      let fd = accept(listener, nil, nil)
      close(listener)
      var asked = [UInt8](repeating: 0, count: 256)
      _ = unsafe recv(fd, &asked, asked.count, 0)
      if let bytes, !bytes.isEmpty {
        _ = unsafe send(fd, bytes, bytes.count, Int32(truncatingIfNeeded: MSG_NOSIGNAL))
      }
      // Until the other side has gone.
      if bytes?.isEmpty != true { _ = unsafe recv(fd, &asked, asked.count, 0) }
      close(fd)
    }
  }

  /// Takes a connection on a thread of its own and answers each request with a captured answer.
  ///
  /// - Parameter name: The capture for an API's number and version; nil hangs up.
  /// - Returns: The captures that were sent, in order.
  func answerAll(_ name: @escaping @Sendable (Int16, Int16) -> String?) -> Locked<[String]> {
    let listener = listener
    let sent = Locked<[String]>([])
    let frames = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/frames").path
    Thread.detachNewThread {
      let fd = accept(listener, nil, nil)
      close(listener)
      defer { close(fd) }
      func receive(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        let got = unsafe recv(fd, &bytes, count, Int32(truncatingIfNeeded: MSG_WAITALL))
        return got == count ? bytes : nil
      }
      while let size = receive(4), let request = receive(Int(bigEndian(size[...]))) {
        let (api, version) = (bigEndian(request[0..<2]), bigEndian(request[2..<4]))
        guard let name = name(Int16(api), Int16(version)),
          let capture = FileManager.default.contents(atPath: "\(frames)/\(name).rsp.bin")
        else { return }
        sent.withLock { $0.append(name) }
        // The captured answer, to this request.
        let answer = request[4..<8] + capture.dropFirst(4)
        let count = (0..<4).map { UInt8(truncatingIfNeeded: answer.count >> (24 - 8 * $0)) }
        let bytes = count + answer
        _ = unsafe send(fd, bytes, bytes.count, Int32(truncatingIfNeeded: MSG_NOSIGNAL))
      }
    }
    return sent
  }

  private func bigEndian(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.reduce(0) { $0 << 8 | Int($1) }
  }
}
