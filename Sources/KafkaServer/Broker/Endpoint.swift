/// A host and a port, as a listener's or a client's address.
public struct Endpoint: Sendable, Hashable, CustomStringConvertible {
  /// A name or a numeric address; IPv6 without brackets.
  public var host: String
  /// 0 lets the system choose when listening.
  public var port: Int

  /// Memberwise.
  public init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// Reads `HOST:PORT` or `[IPV6]:PORT`; nil for anything else.
  public init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    var host = text[..<colon]
    guard let port = Int(text[text.index(after: colon)...]), (0...65_535).contains(port) else {
      return nil
    }
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    guard !host.isEmpty, !host.contains(" ") else { return nil }
    self.init(host: String(host), port: port)
  }

  /// Whether only this machine can reach it.
  public var isLoopback: Bool {
    host == "localhost" || host == "::1" || host.hasPrefix("127.")
  }

  /// Whether it stands for every address of the machine, which no client can connect to.
  public var isWildcard: Bool { host == "0.0.0.0" || host == "::" }

  /// `HOST:PORT`.
  public var description: String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
