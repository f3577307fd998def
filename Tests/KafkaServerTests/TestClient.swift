import Glibc
import MkstoreBytes
import MkstoreProtocol
import MkstoreServer

/// A client of raw frames over a blocking socket.
final class TestClient {
  enum Failure: Error { case refused(Int32), closed, timedOut }

  /// How long an answer may take.
  static let timeoutSeconds = 20

  private let fd: Int32
  private var correlationId: Int32 = 100

  init(_ endpoint: Endpoint) throws { fd = try Self.connect(endpoint) }

  private static func connect(_ endpoint: Endpoint) throws -> Int32 {
    let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    precondition(fd >= 0, "socket failed with error \(errno)")
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(endpoint.port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var timeout = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
    unsafe setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, UInt32(MemoryLayout<timeval>.size))
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = unsafe withUnsafePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe Glibc.connect(fd, $0, size)
      }
    }
    if code != 0 {
      let error = errno
      Glibc.close(fd)
      throw Failure.refused(error)
    }
    return fd
  }

  deinit { Glibc.close(fd) }

  // MARK: Bytes

  /// Sends bytes as they are.
  func send(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.send(
          fd, $0.baseAddress! + sent, bytes.count - sent,
          Int32(truncatingIfNeeded: MSG_NOSIGNAL))
      }
      if count <= 0 { throw Failure.closed }
      sent += count
    }
  }

  /// Takes exactly `count` bytes.
  func take(_ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var taken = 0
    while taken < count {
      let got = unsafe bytes.withUnsafeMutableBytes {
        unsafe recv(fd, $0.baseAddress! + taken, count - taken, 0)
      }
      if got == 0 { throw Failure.closed }
      if got < 0 { throw errno == EAGAIN ? Failure.timedOut : Failure.closed }
      taken += got
    }
    return bytes
  }

  /// Says that nothing more will be sent.
  func finishSending() { shutdown(fd, Int32(SHUT_WR)) }

  /// Whether the server closes the connection.
  func isClosedByServer() -> Bool {
    do {
      _ = try take(1)
      return false
    } catch Failure.closed {
      return true
    } catch {
      return false
    }
  }

  // MARK: Frames

  /// Sends a request; its records' ranges are positions in `records`. Returns its number.
  @discardableResult
  func send(_ body: RequestBody, version: Int16, records: [UInt8] = []) throws -> Int32 {
    correlationId += 1
    let request = Request(
      version: version, correlationId: correlationId, clientId: "test", body: body)
    let frame = try request.encode()
    try send(frame.filled(from: records.span))
    return correlationId
  }

  /// Takes the next frame, without its size.
  func takeFrame() throws -> [UInt8] {
    let sizeBytes = try take(4)
    let size = sizeBytes.span.loadBigEndian(Int32.self, at: 0)
    return try take(Int(size))
  }

  /// Takes the next frame as an answer.
  func takeAnswer(_ api: ApiKey, version: Int16) throws -> (response: Response, frame: [UInt8]) {
    let frame = try takeFrame()
    return (try Response.decode(frame.span, api: api, version: version), frame)
  }

  /// Sends a request and takes its answer.
  func ask(_ body: RequestBody, version: Int16, records: [UInt8] = []) throws -> Response {
    try send(body, version: version, records: records)
    return try takeAnswer(body.api, version: version).response
  }
}
