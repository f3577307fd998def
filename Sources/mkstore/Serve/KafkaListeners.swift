/// Kafka's settings of listeners, of which only the one for clients is used here.
struct KafkaListeners {
  /// Why listeners cannot be used.
  struct Refusal: Error {
    let reason: String
  }

  /// Protocols by listener name, if configured.
  private var protocols: [String: String] = [:]
  /// Names of controllers' listeners, to which no client connects.
  private var others: Set<String> = []

  /// Reads the listener settings of one place.
  init(_ pairs: [(name: String, value: String)]) {
    for (name, value) in pairs {
      switch name {
      case "listener.security.protocol.map":
        for entry in Self.entries(value) {
          let parts = entry.split(separator: ":", maxSplits: 1).map(String.init)
          if parts.count == 2 { protocols[parts[0].uppercased()] = parts[1].uppercased() }
        }
      case "controller.listener.names", "control.plane.listener.name":
        others.formUnion(Self.entries(value).map { $0.uppercased() })
      default: break
      }
    }
  }

  private static func entries(_ text: String) -> [String] {
    text.split(separator: ",", omittingEmptySubsequences: false).map {
      ServeSettings.trimmed(String($0))
    }
  }

  /// `HOST:PORT` of the one entry for clients, `PLAINTEXT://HOST:PORT`; without a host it means
  /// every address.
  func address(_ text: String) throws(Refusal) -> String {
    var found: [(name: String, address: String)] = []
    for entry in Self.entries(text) {
      guard let mark = entry.firstRange(of: "://") else {
        throw Refusal(reason: "is not PROTOCOL://HOST:PORT")
      }
      let name = entry[..<mark.lowerBound].uppercased()
      if !others.contains(name) { found.append((name, String(entry[mark.upperBound...]))) }
    }
    guard let first = found.first else { throw Refusal(reason: "has no listener for clients") }
    if found.count > 1 {
      throw Refusal(reason: "names several listeners for clients; there is one")
    }
    let security = protocols[first.name] ?? first.name
    if security == "SSL" || security.hasPrefix("SASL") {
      throw Refusal(reason: KafkaBrokerNames.noSecurity)
    }
    guard security == "PLAINTEXT" else {
      throw Refusal(reason: "is not a listener PLAINTEXT://HOST:PORT")
    }
    return first.address.hasPrefix(":") ? "0.0.0.0\(first.address)" : first.address
  }
}
