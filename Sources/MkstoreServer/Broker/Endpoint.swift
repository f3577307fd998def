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
    // At most as long as a host's name may be (RFC 1035), so that every answer can contain it.
    guard !host.isEmpty, host.utf8.count <= 255,
      !host.unicodeScalars.contains(where: { $0.properties.isWhitespace || $0.value < 0x21 })
    else { return nil }
    self.init(host: String(host), port: port)
  }

  /// Whether only this machine can reach it.
  public var isLoopback: Bool {
    if host == "localhost" || host == "::1" { return true }
    // `127.0.0.1`, also `127.1`; not `127.0.0.1.example.com`.
    let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
    return numbers.first == "127" && (2...4).contains(numbers.count)
      && numbers.allSatisfy { UInt32($0) != nil }
  }

  /// Whether it means every address of the machine, to which no client can connect.
  public var isWildcard: Bool { host == "0.0.0.0" || host == "::" }

  /// `HOST:PORT`.
  public var description: String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
