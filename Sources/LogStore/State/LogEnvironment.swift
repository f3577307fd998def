internal import DiskIO

/// What the owners of one log's parts share; nothing in it changes while the log is open except the
/// topic's settings.
package final class LogEnvironment: Sendable {
  /// The topic and partition that the directory's name states.
  package let topicPartition: TopicPartition
  package let directory: LogDirectory
  /// What the logs of the store share.
  package let context: StoreContext
  /// Whether the log was opened for reading only.
  package let isReadOnly: Bool
  private let live: LiveValue<Live>

  /// The part that `Store.alterTopic` changes.
  private struct Live: Sendable, Equatable {
    var config: LogConfig
    var settings: LogSettings

    static func == (one: Live, other: Live) -> Bool {
      one.config == other.config && one.settings.overrides == other.settings.overrides
        && one.settings.policySession == other.settings.policySession
        && one.settings.fault.map { "\($0)" } == other.settings.fault.map { "\($0)" }
    }
  }

  init(
    _ topicPartition: TopicPartition, in directory: LogDirectory, config: LogConfig,
    settings: LogSettings, context: StoreContext, isReadOnly: Bool
  ) {
    self.topicPartition = topicPartition
    self.directory = directory
    self.context = context
    self.isReadOnly = isReadOnly
    live = LiveValue(Live(config: config, settings: settings))
  }

  package var path: String { directory.path }
  var disk: any Disk { directory.disk }

  // MARK: Settings

  /// The settings in effect now.
  @inline(__always)
  package var config: LogConfig { live.with { $0.config } }
  /// The topic's settings as stored in the log's directory.
  var settings: LogSettings { live.with { $0.settings } }
  /// Why nothing may be appended: the topic's settings cannot be read.
  @inline(__always)
  package var settingsFault: LogError? { live.with { $0.settings.fault } }
  /// Whether records without a key are refused.
  @inline(__always)
  var needsKeys: Bool { live.with { $0.config.cleanupPolicy.contains(.compact) } }

  /// Replaces the settings; operations that begin later use them.
  func setSettings(_ settings: LogSettings, config: LogConfig) {
    live.set(Live(config: config, settings: settings))
  }
}
