import MkstoreServer
import Testing

/// Addresses as people write them.
struct EndpointTests {
  @Test(arguments: [
    ("127.0.0.1:9092", "127.0.0.1", 9092), ("[::1]:0", "::1", 0), ("logs.lan:1", "logs.lan", 1),
    ("x:65535", "x", 65_535),
  ])
  func addressesAreRead(text: String, host: String, port: Int) {
    #expect(Endpoint(text) == Endpoint(host: host, port: port))
  }

  @Test(arguments: [
    "", "x", ":9092", "[]:9092", "x:", "x:-1", "x:65536", "x y:1", "x\n:1", "x\u{0}:1", "x\t:1",
    String(repeating: "x", count: 256) + ":1",
  ])
  func othersAreRefused(text: String) { #expect(Endpoint(text) == nil) }

  /// A host whose name only begins like a loopback address needs `--insecure`.
  @Test(arguments: [
    ("127.0.0.1", true), ("127.8.9.10", true), ("127.1", true), ("localhost", true), ("::1", true),
    ("127.0.0.1.example.com", false), ("127.example.com", false), ("127.", false),
    ("127", false), ("0.0.0.0", false), ("::", false), ("10.0.0.1", false), ("1127.0.0.1", false),
  ])
  func onlyThisMachineIsLoopback(host: String, isLoopback: Bool) {
    #expect(Endpoint(host: host, port: 1).isLoopback == isLoopback)
  }
}
