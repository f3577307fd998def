/// What the name of a directory in a store says about it.
///
/// Source: Kafka's `LocalLog` and `UnifiedLog` name patterns. Only a plain log is ever opened or
/// changed.
package enum LogDirectoryName: Hashable, Sendable {
  /// A log in use.
  case log(TopicPartition)
  /// `<topic>-<p>.<32 hex>-delete`: Kafka will remove it; the topic's name may be truncated.
  case deleted(topic: String, partition: Int32)
  /// `….<32 hex>-future`: being moved here from another log directory.
  case future(topic: String, partition: Int32)
  /// `….<32 hex>-stray`: renamed by Kafka because no topic claims it; the name may be truncated.
  case stray(topic: String, partition: Int32)
  /// Not a name that Kafka gives.
  case other

  /// Whether it is a log in use.
  package var isLog: Bool {
    if case .log = self { true } else { false }
  }

  /// Classifies a directory name.
  package init(_ name: String) {
    if let kept = Self.unmarked(name, ending: "-delete") {
      self = .deleted(topic: kept.0, partition: kept.1)
    } else if let kept = Self.unmarked(name, ending: "-future") {
      self = .future(topic: kept.0, partition: kept.1)
    } else if let kept = Self.unmarked(name, ending: "-stray") {
      self = .stray(topic: kept.0, partition: kept.1)
    } else {
      do throws(TopicPartitionError) {
        self = .log(try TopicPartition(directoryName: name))
      } catch {
        self = .other
      }
    }
  }

  /// Topic and partition of `<topic>-<p>.<32 hex><ending>`, or nil.
  private static func unmarked(_ name: String, ending: String) -> (String, Int32)? {
    guard name.hasSuffix(ending) else { return nil }
    let marked = name.dropLast(ending.count)
    let hexCount = 32
    guard marked.utf8.count > hexCount + 1,
      marked.utf8.suffix(hexCount).allSatisfy(isHexDigit),
      marked.dropLast(hexCount).last == "."
    else { return nil }
    do throws(TopicPartitionError) {
      let (topic, partition) = try TopicPartition.split(String(marked.dropLast(hexCount + 1)))
      return (topic, partition)
    } catch {
      return nil
    }
  }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
      UInt8(ascii: "A")...UInt8(ascii: "F"):
      true
    default: false
    }
  }
}
