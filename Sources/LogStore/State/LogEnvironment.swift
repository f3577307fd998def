package import DiskIO

/// What the owners of one log's parts share; none of it changes while the log is open.
package final class LogEnvironment: Sendable {
  /// The topic and partition that the directory's name states.
  package let topicPartition: TopicPartition
  package let directory: LogDirectory
  package let config: LogConfig
  /// Settings of the topic that differ from the store's, and why they cannot be read.
  package let settings: LogSettings
  /// What the logs of the store share.
  package let context: StoreContext
  /// Whether the log was opened for reading only.
  package let isReadOnly: Bool

  package init(
    _ topicPartition: TopicPartition, in directory: LogDirectory, config: LogConfig,
    settings: LogSettings, context: StoreContext, isReadOnly: Bool
  ) {
    self.topicPartition = topicPartition
    self.directory = directory
    self.config = config
    self.settings = settings
    self.context = context
    self.isReadOnly = isReadOnly
  }

  package var path: String { directory.path }
  package var disk: any Disk { directory.disk }
}
