import ArgumentParser

/// A moment on the command line: milliseconds since 1970, RFC 3339, `now`, or relative to now.
struct TimeArgument: ExpressibleByArgument, Equatable, Sendable {
  /// How the moment was given.
  enum Moment: Equatable, Sendable {
    /// Milliseconds since 1970 UTC.
    case absolute(Int64)
    /// Milliseconds after now; negative is the past.
    case relative(Int64)
  }

  var moment: Moment

  /// Reads the argument; for nil the parser shows the option's help.
  init?(argument: String) {
    if argument == "now" {
      moment = .relative(0)
    } else if let milliseconds = Int64(argument) {
      moment = .absolute(milliseconds)
    } else if let first = argument.utf8.first,
      first == UInt8(ascii: "-") || first == UInt8(ascii: "+"),
      let duration = DurationArgument(argument: String(argument.dropFirst()))
    {
      let isPast = first == UInt8(ascii: "-")
      moment = .relative(isPast ? -duration.milliseconds : duration.milliseconds)
    } else if let milliseconds = RFC3339.milliseconds(argument) {
      moment = .absolute(milliseconds)
    } else {
      return nil
    }
  }

  /// Milliseconds since 1970 UTC.
  func milliseconds(nowMs: Int64) -> Int64 {
    switch moment {
    case .absolute(let milliseconds): milliseconds
    case .relative(let distance): nowMs + distance
    }
  }
}

/// A span of time on the command line: a number with a unit (`1d12h`, `250ms`), or milliseconds.
struct DurationArgument: ExpressibleByArgument, Equatable, Sendable {
  /// Not negative; at most about 31,000 years, so that sums with a time do not overflow.
  var milliseconds: Int64

  private static let units: [(String, Int64)] = [
    ("ms", 1), ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000),
  ]
  private static let most: Int64 = 1_000_000_000_000_000

  init(milliseconds: Int64) { self.milliseconds = milliseconds }

  init?(argument: String) {
    var rest = Substring(argument)
    var sum: Int64 = 0
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix { "0"..."9" ~= $0 }
      guard let number = Int64(digits) else { return nil }
      rest = rest.dropFirst(digits.count)
      var factor: Int64 = 1
      if let unit = DurationArgument.units.first(where: { rest.hasPrefix($0.0) }) {
        rest = rest.dropFirst(unit.0.count)
        factor = unit.1
      } else if !rest.isEmpty || digits.count != argument.count {
        return nil
      }
      let (product, overflow) = number.multipliedReportingOverflow(by: factor)
      guard !overflow, product <= DurationArgument.most - sum else { return nil }
      sum += product
    }
    milliseconds = sum
  }
}
