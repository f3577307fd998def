import Foundation
import StoreTesting
import Testing

/// The corpus of the fuzz target `FuzzLogDirectory`, once each; a trap ends the test run.
struct FuzzCorpusTests {
  private static let folder = SharedVectors.packageRoot + "/Fuzz/corpus/log-directory"

  /// `FUZZ_INPUT`, a file that a fuzzer left, instead of the corpus.
  private static let inputs: [String] = {
    if let input = ProcessInfo.processInfo.environment["FUZZ_INPUT"] { return [input] }
    do {
      return try SharedVectors.names(in: folder).map { "\(folder)/\($0)" }
    } catch {
      return []
    }
  }()

  @Test func corpusIsThere() {
    #expect(!Self.inputs.isEmpty)
  }

  @Test(arguments: inputs) func directoryOfAnyBytesKeepsThePromises(input: String) throws {
    let bytes = try SharedVectors.bytes(input)
    LogDirectoryScenario.run(bytes.span)
  }
}
