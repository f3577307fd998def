/// Why a text names no log.
///
/// ```swift
/// do {
///   _ = try TopicPartition(topic: "orders/new", partition: 0)
/// } catch {
///   print(error)  // topic name 'orders/new' holds '/'; only a-z, A-Z, 0-9, ... are allowed
/// }
/// ```
public enum TopicPartitionError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The topic name is empty.
  case topicEmpty
  /// The topic name is `.` or `..`.
  case topicReserved(String)
  /// The topic name holds a character outside `[a-zA-Z0-9._-]`.
  case topicCharacter(String, Character)
  /// The topic name is longer than Kafka allows.
  case topicTooLong(String, bytes: Int, limit: Int)
  /// A directory name without `-<partition>` at its end.
  case noPartition(String)
  /// The part after the last dash is not a partition number.
  case partition(String)

  /// One sentence for people.
  public var description: String {
    switch self {
    case .topicEmpty: "the topic name is empty"
    case .topicReserved(let topic): "the topic name must not be '\(topic)'"
    case .topicCharacter(let topic, let character):
      "topic name '\(topic)' holds '\(character)'; only a-z, A-Z, 0-9, '.', '_' and '-' are allowed"
    case .topicTooLong(let topic, let bytes, let limit):
      "topic name '\(topic.prefix(32))…' has \(bytes) characters; at most \(limit) are allowed"
    case .noPartition(let name): "'\(name)' has no '-<partition>' at its end"
    case .partition(let text): "'\(text)' is not a partition number (0 to 2147483647)"
    }
  }
}
