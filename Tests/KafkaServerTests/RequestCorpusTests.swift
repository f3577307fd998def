import Foundation
import MkstoreProtocol
import MkstoreServer
import StoreTesting
import Testing

/// The corpus of the fuzz target `FuzzRequest`: a request of every API and version, and what a
/// fuzzer found.
struct RequestCorpusTests {
  private static let folder: String = {
    var url = URL(filePath: #filePath)
    for _ in 0..<3 { url.deleteLastPathComponent() }
    return url.appending(path: "Fuzz/corpus/request").path(percentEncoded: false)
  }()

  /// `FUZZ_INPUT`, a file that a fuzzer left, instead of the corpus.
  private static let inputs: [String] = {
    if let input = ProcessInfo.processInfo.environment["FUZZ_INPUT"] { return [input] }
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map {
        "\(folder)/\($0)"
      }
    } catch {
      return []
    }
  }()

  private static func frame(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: path)))
  }

  private static let seed = Seed.fromEnvironment(else: 1)

  /// Every version of every API that is answered has a seed that reads.
  @Test func everyVersionIsAmongTheSeeds() throws {
    var found: Set<[Int16]> = []
    for input in Self.inputs {
      let frame = try Self.frame(input)
      if let request = RequestScenario.run(frame.span) {
        found.insert([request.header.apiKey, request.header.apiVersion])
      }
    }
    for api in ApiKey.supported {
      for version in try #require(api.support).versions {
        #expect(found.contains([api.rawValue, version]), "\(api.name) v\(version)")
      }
    }
  }

  /// What a client may send is answered, in the form of its version, and the connection lives.
  @Test func everyRequestThatReadsIsAnswered() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      var answered: Set<[Int16]> = []
      for input in Self.inputs {
        let frame = try Self.frame(input)
        guard var request = RequestScenario.run(frame.span), let api = request.header.api else {
          continue
        }
        // Nobody waits here: not for records, not for the end of the connection.
        if case .fetch(var fetch) = request.body {
          fetch.maxWaitMs = 0
          request.body = .fetch(fetch)
        }
        if case .produce(var produce) = request.body {
          if produce.acks == 0 { produce.acks = 1 }
          request.body = .produce(produce)
        }
        try client.send(try request.encode().filled(from: frame.span))
        let answer = try client.takeAnswer(api, version: request.header.apiVersion).response
        #expect(answer.correlationId == request.header.correlationId, "\(input)")
        #expect(answer.body.api == api)
        answered.insert([api.rawValue, request.header.apiVersion])
      }
      let all = ApiKey.supported.compactMap(\.support).map(\.versions.count).reduce(0, +)
      #expect(answered.count == all)
    }
  }

  /// Bytes changed at random: each request is answered or its connection closed, and whoever else
  /// is connected goes on.
  @Test func mangledRequestsHurtNobody() async throws {
    try await TestBroker.with { broker in
      let witness = try broker.connect()
      try witness.create("witness")
      var random = Self.seed.generator
      let frames = try Self.inputs.map(Self.frame).filter { !$0.isEmpty && $0.count < 4096 }
      for round in 0..<1500 {
        guard var frame = frames.randomElement(using: &random) else { return }
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          // The key and the version stay most of the time, so that bodies are read.
          let first = Int.random(in: 0..<20, using: &random) == 0 ? 0 : min(8, frame.count - 1)
          let position = Int.random(in: first..<frame.count, using: &random)
          frame[position] = [0, 1, 0x7f, 0x80, 0xff, .random(in: 0...255, using: &random)]
            .randomElement(using: &random)!
        }
        let size = UInt32(frame.count)
        let client = try broker.connect()
        try client.send((0..<4).map { UInt8(truncatingIfNeeded: size >> (24 - 8 * $0)) } + frame)
        client.finishSending()
        if round % 100 == 0 {
          let result = try witness.produce("witness", try TestBatch.make(["\(round)"]))
          #expect(result.errorCode == .none, "\(Self.seed), round \(round)")
        }
      }
    }
  }
}
