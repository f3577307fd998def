package import LogStore

extension LogManager {
  /// Settings of topics that are given none of their own.
  package var defaultLogConfig: LogConfig { LogConfig() }

  /// Deletes a topic.
  package func deleteTopic(_ name: String) throws(LogError) {
    throw .notFound(path: name)
  }

  /// Adds partitions to a topic.
  package func addPartitions(_ name: String, from first: Int32, to end: Int32) throws(LogError) {
    for partition in first..<end {
      do throws(TopicPartitionError) {
        let id = try TopicPartition(topic: name, partition: partition)
        do throws(LogError) {
          _ = try createLog(id, config: nil)
        } catch {
          throw TopicPartitionError.partition("\(error)")
        }
      } catch {
        throw .invalidName(name: name, reason: "\(error)")
      }
    }
  }
}
