import Glibc

/// A client's connection, used blocking: for set-up and for what is measured one by one.
final class ClientSocket {
  let descriptor: Int32

  init(_ port: UInt16, host: String = "127.0.0.1") {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, "\(port)", &hints, &found)
    precondition(code == 0 && found != nil, "\(host) is not known")
    defer { freeaddrinfo(found) }
    var connected: Int32 = -1
    var next = found
    while let candidate = next, connected < 0 {
      let descriptor = socket(candidate.pointee.ai_family, Int32(SOCK_STREAM.rawValue), 0)
      if connect(descriptor, candidate.pointee.ai_addr, candidate.pointee.ai_addrlen) == 0 {
        connected = descriptor
      } else {
        close(descriptor)
      }
      next = candidate.pointee.ai_next
    }
    precondition(connected >= 0, "cannot connect to \(host):\(port): \(errno)")
    descriptor = connected
    var yes: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, 4)
  }

  deinit { close(descriptor) }

  func send(_ parts: [UInt8]...) {
    for (index, part) in parts.enumerated() {
      var sent = 0
      while sent < part.count {
        let flags = Int32(MSG_NOSIGNAL) | (index < parts.count - 1 ? 0x8000 : 0)
        let count = part.withUnsafeBytes {
          Glibc.send(descriptor, $0.baseAddress! + sent, part.count - sent, flags)
        }
        precondition(count > 0, "the server closed the connection: \(errno)")
        sent += count
      }
    }
  }

  /// One answer, without its size.
  func receive() -> [UInt8] {
    let size = receive(4).number(Int32.self, at: 0)
    return receive(Int(size))
  }

  private func receive(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var have = 0
    while have < count {
      let got = bytes.withUnsafeMutableBytes {
        recv(descriptor, $0.baseAddress! + have, count - have, 0)
      }
      precondition(got > 0, "the server closed the connection: \(errno)")
      have += got
    }
    return bytes
  }
}

/// A listening socket of loopback, on a port that the system chose.
struct LoopbackListener {
  let descriptor: Int32
  let port: UInt16

  init() {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = descriptor
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        precondition(bind(listener, $0, length) == 0 && listen(listener, 16) == 0)
        precondition(getsockname(listener, $0, &length) == 0)
      }
    }
    port = UInt16(bigEndian: address.sin_port)
  }

  /// The next connection; the caller closes it.
  func accept() -> Int32 {
    let peer = Glibc.accept(descriptor, nil, nil)
    precondition(peer >= 0, "nobody connected: \(errno)")
    return peer
  }
}

/// A broker by its address, and what the rows need of it beyond load.
struct BrokerAddress {
  var host = "127.0.0.1"
  var port: UInt16

  func makeTopic(_ topic: String, partitions: Int) {
    let socket = ClientSocket(port, host: host)
    socket.send(KafkaFrames.createTopic(topic, partitions: partitions))
    let answer = socket.receive()
    let code = answer.number(Int16.self, at: 14 + topic.utf8.count)
    precondition(code == 0, "topic \(topic) was not made: error \(code)")
  }

  func deleteTopic(_ topic: String) {
    let socket = ClientSocket(port, host: host)
    socket.send(KafkaFrames.deleteTopic(topic))
    _ = socket.receive()
  }

  /// Produces one batch to each partition, again until the broker takes it: leaders may be late.
  func warm(_ topic: String, partitions: Int, batch: [UInt8]) {
    let socket = ClientSocket(port, host: host)
    let errorPosition = KafkaFrames.produceErrorPosition(topic)
    for partition in 0..<partitions {
      let head = KafkaFrames.produce(topic, partition, acks: -1, batchBytes: batch.count)
      var code: Int16 = -1
      for attempt in 0..<200 where code != 0 {
        if attempt > 0 { usleep(50_000) }
        socket.send(head, batch)
        code = socket.receive().number(Int16.self, at: errorPosition)
      }
      precondition(code == 0, "\(topic)-\(partition) takes no records: error \(code)")
    }
  }
}
