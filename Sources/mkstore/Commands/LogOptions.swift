import ArgumentParser
import LogStore
import RecordFormat

/// Settings of a log, by Kafka's names; they apply to this run.
struct LogOptions: ParsableArguments {
  @Option(help: "A segment is rolled before it exceeds this size (segment.bytes).")
  var segmentBytes = ByteCountArgument(LogConfig().segmentBytes)

  @Option(help: ArgumentHelp("... or is this old (segment.ms).", valueName: "ms"))
  var segmentMs = DurationArgument(milliseconds: LogConfig().segmentMs)

  @Option(help: "Bytes between two index entries (index.interval.bytes).")
  var indexIntervalBytes = ByteCountArgument(LogConfig().indexIntervalBytes)

  @Option(help: "Most bytes of an index (segment.index.bytes).")
  var segmentIndexBytes = ByteCountArgument(LogConfig().segmentIndexBytes)

  @Option(help: "Largest batch as stored (max.message.bytes).")
  var maxMessageBytes = ByteCountArgument(LogConfig().maxMessageBytes)

  @Flag(help: "Stamp records with the time of their append (message.timestamp.type).")
  var logAppendTime = false

  /// The settings.
  var config: LogConfig {
    var config = LogConfig()
    config.segmentBytes = segmentBytes.bytes
    config.segmentMs = segmentMs.milliseconds
    config.indexIntervalBytes = indexIntervalBytes.bytes
    config.segmentIndexBytes = segmentIndexBytes.bytes
    config.maxMessageBytes = maxMessageBytes.bytes
    config.timestampType = logAppendTime ? .logAppendTime : .createTime
    return config
  }
}

extension DurationArgument {
  /// As `--help` shows a default.
  var defaultValueDescription: String { String(milliseconds) }
}
