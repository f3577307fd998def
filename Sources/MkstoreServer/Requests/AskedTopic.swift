internal import MkstoreProtocol

/// A topic in a request: by its name, or by its id.
struct AskedTopic: Hashable {
  var name: String?
  var id: KafkaUuid

  init(_ name: String?, _ id: KafkaUuid) {
    self.name = name
    self.id = id
  }
}
