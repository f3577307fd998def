internal import LogStore
internal import MkstoreBytes
internal import MkstoreProtocol
internal import NIOCore
internal import Synchronization

/// Requests too large to be decoded on an event loop.
///
/// They wait as encoded bytes, which are counted like those of unfinished requests until the answer
/// is sent, and are decoded when a thread is free: a list of short names takes ten times its bytes
/// as values.
extension ConnectionHandler {
  /// Larger frames are decoded on another thread, except produce and fetch, which use the
  /// connection's state. Requests that an event loop answers itself are smaller.
  static let decodedOnLoopBytesMax = 8 << 10

  /// Whether a client is still connected; read by other threads.
  final class Presence: Sendable {
    private let isOver = Atomic(false)

    // Relaxed: a thread that sees the end late only does some unnecessary work.
    var isThere: Bool { !isOver.load(ordering: .relaxed) }
    func end() { isOver.store(true, ordering: .relaxed) }
  }

  /// The API of a frame that must not be decoded here; nil if it may be.
  func largeRequest(_ frame: ByteBuffer) -> Int16? {
    guard frame.readableBytes > Self.decodedOnLoopBytesMax,
      let key = frame.getInteger(at: frame.readerIndex, as: Int16.self),
      key != ApiKey.produce.rawValue, key != ApiKey.fetch.rawValue
    else { return nil }
    return key
  }

  /// Lets a thread that may block decode a request and answer it.
  func handUndecoded(
    _ frame: ByteBuffer, _ apiKey: Int16, _ number: AnswerQueue.Number, limits: ProtocolLimits
  ) {
    isBusy = true
    heldBytes = frame.readableBytes
    let (broker, presence, loop) = (broker, presence, loop)
    let this = NIOLoopBound(self, eventLoop: loop)
    broker.threads(for: ApiKey(rawValue: apiKey)).submit {
      let outcome = presence.isThere ? Self.answer(frame, by: broker, limits: limits) : nil
      loop.execute { this.value.take(outcome, number) }
    }
  }

  private static func answer(
    _ frame: ByteBuffer, by broker: Broker, limits: ProtocolLimits
  ) -> Result<Answer, ProtocolError> {
    do throws(ProtocolError) {
      let request = try Request.decode(frame.readableBytesUInt8Span, limits: limits)
      let response = Response(to: request.header, broker.answer(request))
      return .success(Answer(frame: try response.encode()))
    } catch {
      return .failure(error)
    }
  }

  private func take(_ outcome: Result<Answer, ProtocolError>?, _ number: AnswerQueue.Number) {
    isBusy = false
    heldBytes = 0
    if context != nil, let outcome {
      switch outcome {
      case .success(let answer):
        heldBytes = answer.frame.bytes.count
        finish(number, .ready(answer))
      case .failure(let error):
        finish(number, .silent)
        refuse(error)
      }
    }
    process()
  }
}
