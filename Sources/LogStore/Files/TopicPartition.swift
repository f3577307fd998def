/// One log of a store: a topic and a partition of it, which together name its directory.
///
/// ```swift
/// let name = try TopicPartition(topic: "orders", partition: 0)
/// print(name)  // orders-0
/// ```
///
/// Values exist only for names that Kafka allows, so a path can be built from one without checks.
public struct TopicPartition: Hashable, Sendable, CustomStringConvertible {
  /// Longest topic name, in bytes (Kafka's `Topic.MAX_NAME_LENGTH`).
  public static let topicBytesMax = 249

  /// 1 to 249 characters of `[a-zA-Z0-9._-]`, neither `.` nor `..`.
  public let topic: String
  /// Not negative.
  public let partition: Int32

  /// Checks both by Kafka's rules.
  ///
  /// - Throws: What is wrong with them.
  public init(topic: String, partition: Int32) throws(TopicPartitionError) {
    try Self.check(topic: topic)
    guard partition >= 0 else { throw .partition(String(partition)) }
    self.topic = topic
    self.partition = partition
  }

  /// Reads the name of a log directory: everything before the last dash is the topic.
  ///
  /// - Throws: What is wrong with it. The name of a directory that is to be deleted or is being
  ///   moved also throws.
  public init(directoryName: String) throws(TopicPartitionError) {
    let (topic, partition) = try Self.split(directoryName)
    try self.init(topic: topic, partition: partition)
  }

  /// Name of the log's directory, e.g. `orders-0`.
  public var description: String { "\(topic)-\(partition)" }

  /// Whether Kafka refuses to have both topics: their names differ only in `.` and `_`, which
  /// metric names cannot distinguish (Kafka's `Topic.hasCollision`).
  package func collides(withTopic other: String) -> Bool {
    topic != other && topic.utf8.count == other.utf8.count
      && Self.unified(topic) == Self.unified(other)
  }

  /// Throws if `topic` is not a legal topic name.
  package static func check(topic: String) throws(TopicPartitionError) {
    if topic.isEmpty { throw .topicEmpty }
    if topic == "." || topic == ".." { throw .topicReserved(topic) }
    for character in topic where !isAllowed(character) {
      throw .topicCharacter(topic, character)
    }
    if topic.utf8.count > topicBytesMax {
      throw .topicTooLong(topic, bytes: topic.utf8.count, limit: topicBytesMax)
    }
  }

  /// Splits `<topic>-<partition>` at the last dash; the topic is not checked here.
  static func split(_ name: String) throws(TopicPartitionError) -> (String, Int32) {
    guard let dash = name.lastIndex(of: "-") else { throw .noPartition(name) }
    let digits = String(name[name.index(after: dash)...])
    // Only the form that `description` writes: no sign, no leading zero.
    guard let partition = Int32(digits), partition >= 0, String(partition) == digits else {
      throw .partition(digits)
    }
    return (String(name[..<dash]), partition)
  }

  private static func isAllowed(_ character: Character) -> Bool {
    switch character {
    case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "-": character.utf8.count == 1
    default: false
    }
  }

  private static func unified(_ topic: String) -> String {
    String(topic.map { $0 == "." ? "_" : $0 })
  }
}
