/// How Kafka's settings name listeners, of which the one for clients is served here.
struct KafkaListeners {
  /// Why listeners cannot be taken over.
  struct Refusal: Error {
    let reason: String
  }

  /// Protocols by listener name, where they are told.
  private var protocols: [String: String] = [:]
  /// Names of listeners that no client connects to: of controllers.
  private var others: Set<String> = []

  /// Takes what the settings of one place say of listeners.
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

  /// `HOST:PORT` of the one entry for clients, `PLAINTEXT://HOST:PORT`; without a host every
  /// address is meant.
  func address(_ text: String) throws(Refusal) -> String {
    var found: [(name: String, address: String)] = []
    for entry in Self.entries(text) {
      guard let mark = entry.firstRange(of: "://") else {
        throw Refusal(reason: "is no PROTOCOL://HOST:PORT")
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
      throw Refusal(reason: "is no listener PLAINTEXT://HOST:PORT")
    }
    return first.address.hasPrefix(":") ? "0.0.0.0\(first.address)" : first.address
  }
}
