package import DiskIO

/// What a store's directory says of a topic's retention, without opening the store.
package struct StoredPolicy: Sendable {
  /// The settings that the topic itself states.
  package let overrides: TopicConfig
  /// Whether they were decided on since the last session of a broker in the directory.
  package let isConfirmed: Bool

  /// Reads a log's settings and the store's session. Writes nothing.
  ///
  /// - Throws: Where one of the files cannot be read or trusted.
  package init(
    of topicPartition: TopicPartition, store: String, _ disk: any Disk
  ) throws(CheckpointError) {
    let found = try TopicConfigFile.read(disk, directory: "\(store)/\(topicPartition)")
    overrides = found?.config ?? TopicConfig()
    let session = try StoreSession.read(disk, directory: store)?.policySession
    var isBrokers = false
    do throws(DiskError) {
      isBrokers = try LogStarts(disk, directory: store).isBrokers
    } catch {
      throw .disk(error)
    }
    isConfirmed = session != nil && session == found?.policySession && !isBrokers
  }
}
