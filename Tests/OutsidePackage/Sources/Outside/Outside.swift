import Bytes
import CZlib
import LogStore

/// The README's program needs no other import.
@main struct Outside {
  static func main() async throws {
    try await Store.withStore(CommandLine.arguments[1], .createIfMissing) { store in
      let log = try await store.log("outside", .createIfMissing)
      try await log.append([NewRecord(key: "a", value: "\(ownBytes) and \(own_number())")])
      for try await record in log.records(through: .currentEnd) { print(record.text ?? "") }
    }
  }
}
