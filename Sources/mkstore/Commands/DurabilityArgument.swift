import ArgumentParser
import LogStore
import RecordFormat

/// `flushed`, `interval:MS` or `os`.
struct DurabilityArgument: ExpressibleByArgument {
  var durability: Durability

  init(_ durability: Durability) { self.durability = durability }

  init?(argument: String) {
    switch argument {
    case "flushed": durability = .flushed
    case "os": durability = .operatingSystem
    default:
      guard argument.hasPrefix("interval:"),
        let duration = DurationArgument(argument: String(argument.dropFirst(9))),
        duration.milliseconds >= 1, duration.milliseconds <= 3_600_000
      else { return nil }
      durability = .interval(milliseconds: Int(duration.milliseconds))
    }
  }

  var defaultValueDescription: String { "\(durability)" }
}

/// `none`, `zstd` or `zstd:LEVEL`.
struct CompressionArgument: ExpressibleByArgument {
  var compression: Compression

  init(_ compression: Compression) { self.compression = compression }

  init?(argument: String) {
    guard let compression = Compression(argument) else { return nil }
    self.compression = compression
  }

  var defaultValueDescription: String { "\(compression)" }
}
