import ArgumentParser

/// A number of bytes on the command line, with the units k, M and G of 1024 (`64k`, `1MiB`, `2G`).
struct ByteCountArgument: ExpressibleByArgument, Equatable, Sendable, CustomStringConvertible {
  var bytes: Int

  init(_ bytes: Int) { self.bytes = bytes }

  init?(argument: String) {
    let digits = argument.prefix { "0"..."9" ~= $0 }
    guard let number = Int(digits) else { return nil }
    let shift: Int
    switch argument.dropFirst(digits.count).lowercased() {
    case "", "b": shift = 0
    case "k", "kb", "kib": shift = 10
    case "m", "mb", "mib": shift = 20
    case "g", "gb", "gib": shift = 30
    default: return nil
    }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
    guard !overflow else { return nil }
    self.bytes = bytes
  }

  var description: String { String(bytes) }

  /// As `--help` shows a default.
  var defaultValueDescription: String { String(bytes) }

  /// A size for people: `1.5 MiB`.
  static func text(_ bytes: Int) -> String {
    if bytes < 10_000 { return "\(bytes) bytes" }
    var value = Double(bytes)
    for unit in ["KiB", "MiB", "GiB", "TiB"] {
      value /= 1024
      if value < 1024 || unit == "TiB" {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(unit)"
      }
    }
    return "\(bytes) bytes"
  }
}
