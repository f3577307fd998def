import ArgumentParser

/// The start of a fetch: `beginning`, `end`, an offset, or `-N` for the last N.
enum OffsetArgument: ExpressibleByArgument, Equatable, Sendable {
  case beginning, end
  case at(Int64)
  /// This many offsets before the end.
  case beforeEnd(Int64)

  init?(argument: String) {
    switch argument {
    case "beginning", "start", "earliest": self = .beginning
    case "end", "latest": self = .end
    default:
      // "-0" is the end as well; Int64.min has no positive counterpart.
      guard let number = Int64(argument), number > Int64.min else { return nil }
      self = argument.hasPrefix("-") ? .beforeEnd(-number) : .at(number)
    }
  }

  /// The offset in a log that holds `start` to `end` (exclusive).
  func offset(start: Int64, end: Int64) -> Int64 {
    switch self {
    case .beginning: start
    case .end: end
    case .at(let offset): offset
    case .beforeEnd(let count): max(start, end - count)
    }
  }
}
