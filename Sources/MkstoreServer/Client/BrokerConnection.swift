internal import MkstoreProtocol
internal import NIOCore
internal import NIOPosix

/// A connection to a broker, mkstore's or Kafka's, that sends one request at a time and blocks
/// until its answer arrives. For a command's thread, never for an event loop.
final class BrokerConnection {
  private let endpoint: Endpoint
  private let group: MultiThreadedEventLoopGroup
  private let channel: any Channel
  /// The versions that the broker speaks, by the API's number.
  private var versions: [Int16: ClosedRange<Int16>] = [:]
  private var correlationId: Int32 = 0

  /// Connects and asks which versions the broker speaks.
  ///
  /// - Parameters:
  ///   - endpoint: The broker.
  ///   - timeoutSeconds: How long the connection, and then each answer, may take.
  init(to endpoint: Endpoint, timeoutSeconds: Int64) throws(AdminError) {
    self.endpoint = endpoint
    let timeout = TimeAmount.seconds(timeoutSeconds)
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    do {
      channel = try ClientBootstrap(group: group)
        .connectTimeout(timeout)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(
              AnswerHandler(endpoint, timeout: timeout))
          }
        }
        .connect(host: endpoint.host, port: endpoint.port).wait()
    } catch {
      group.shutdownGracefully { _ in }
      throw AdminError("cannot connect to \(endpoint): \(Self.reason(error)); is a broker there?")
    }
    try learnVersions()
  }

  deinit {
    channel.close(promise: nil)
    group.shutdownGracefully { _ in }
  }

  private static func reason(_ error: any Error) -> String {
    guard let failure = error as? NIOConnectionError else { return "\(error)" }
    if let error = failure.connectionErrors.first?.error { return "\(error)" }
    return "no address of this name is known"
  }

  private func learnVersions() throws(AdminError) {
    let answer = try ask(.apiVersions(ApiVersionsRequest()), version: 0)
    guard case .apiVersions(let body) = answer, body.errorCode == .none else {
      throw AdminError("\(endpoint) does not say which requests it understands")
    }
    for api in body.apiKeys where api.minVersion <= api.maxVersion {
      versions[api.apiKey] = api.minVersion...api.maxVersion
    }
  }

  /// The newest version of an API that both sides speak.
  func version(of api: ApiKey) throws(AdminError) -> Int16 {
    guard let ours = api.support?.versions, let theirs = versions[api.rawValue],
      ours.overlaps(theirs)
    else { throw AdminError("\(endpoint) does not understand \(api.name) as this version asks it") }
    return min(ours.upperBound, theirs.upperBound)
  }

  /// Sends a request in the newest version that both sides speak.
  func ask(_ body: RequestBody) throws(AdminError) -> ResponseBody {
    try ask(body, version: version(of: body.api))
  }

  private func ask(_ body: RequestBody, version: Int16) throws(AdminError) -> ResponseBody {
    correlationId += 1
    let answer = channel.eventLoop.makePromise(of: [UInt8].self)
    do {
      let request = Request(
        version: version, correlationId: correlationId, clientId: "mkstore", body: body)
      let frame = try request.encode().bytes
      channel.writeAndFlush(Exchange(frame: frame, answer: answer), promise: nil)
      let received = try answer.futureResult.wait()
      let response = try Response.decode(received.span, api: body.api, version: version)
      guard response.correlationId == correlationId else {
        throw AdminError("\(endpoint) answered another request than the one that was sent")
      }
      return response.body
    } catch let error as AdminError {
      throw error
    } catch {
      // A promise that is never completed would leak.
      answer.fail(error)
      throw AdminError("\(endpoint): \(error)")
    }
  }
}
