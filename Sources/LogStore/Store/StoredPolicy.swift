package import DiskIO

/// A topic's retention as stored in a store's directory, without opening the store.
package struct StoredPolicy: Sendable {
  /// The topic's own settings.
  package let overrides: TopicConfig
  /// Whether they were set since the last session of a broker in the directory.
  package let isConfirmed: Bool

  /// Reads a log's settings and the store's session. Writes nothing.
  ///
  /// - Throws: If one of the files cannot be read or trusted.
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
