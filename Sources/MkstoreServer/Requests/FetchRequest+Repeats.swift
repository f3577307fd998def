package import MkstoreProtocol

extension FetchRequest {
  /// The request with each partition once. As in Kafka, the last mention of a partition counts:
  /// otherwise one request could ask a hundred thousand times for the same bytes.
  package var withoutRepeats: FetchRequest {
    guard hasRepeats else { return self }
    var kept = self
    kept.topics = []
    var topicIndexes: [String: Int] = [:]
    var places: [Int: [Int32: Int]] = [:]
    for topic in topics {
      let index = topicIndexes[topic.topic] ?? kept.topics.count
      if index == kept.topics.count {
        topicIndexes[topic.topic] = index
        var empty = topic
        empty.partitions = []
        kept.topics.append(empty)
      }
      var known = places.removeValue(forKey: index) ?? [:]
      for asked in topic.partitions {
        if let place = known[asked.partition] {
          kept.topics[index].partitions[place] = asked
        } else {
          known[asked.partition] = kept.topics[index].partitions.count
          kept.topics[index].partitions.append(asked)
        }
      }
      places[index] = known
    }
    return kept
  }

  private var hasRepeats: Bool {
    if topics.count == 1, topics[0].partitions.count == 1 { return false }
    var names: Set<String> = []
    return topics.contains { topic in
      var partitions: Set<Int32> = []
      return !names.insert(topic.topic).inserted
        || topic.partitions.contains { !partitions.insert($0.partition).inserted }
    }
  }
}
