import MkstoreBytes
public import MkstoreProtocol

/// Interprets arbitrary bytes as a request of a Kafka client, and checks the parser's promises for
/// any bytes: no trap, an error with a reason, and a parsed request can be written and read again
/// without a change.
///
/// ```swift
/// if RequestScenario.run(frame.span) == nil { print("the bytes are not a request") }
/// ```
///
/// Run by the fuzz target `FuzzRequest` and, over the corpus, by a test.
public enum RequestScenario {
  /// Runs it over one input, a frame without its size; traps if a promise is broken.
  ///
  /// - Returns: The request that was read; nil if the bytes were refused.
  @discardableResult
  public static func run(_ frame: Span<UInt8>) -> Request? {
    readSize(frame)
    do throws(ProtocolError) {
      let request = try Request.decode(frame)
      writeAndReadAgain(request, frame)
      return request
    } catch {
      refuse(error, frame)
      return nil
    }
  }

  /// Interprets the first bytes as a size.
  private static func readSize(_ bytes: Span<UInt8>) {
    do throws(ProtocolError) {
      let size = try FrameSize.read(bytes)
      require((size == nil) == (bytes.count < FrameSize.byteCount))
      if let size { require(size > 0 && size <= ProtocolLimits.standard.frameBytesMax) }
    } catch {
      require(!error.description.isEmpty)
    }
  }

  /// A refusal has a reason, and an unknown version of ApiVersions has an answer (KIP-511).
  private static func refuse(_ error: ProtocolError, _ frame: Span<UInt8>) {
    require(!error.description.isEmpty)
    guard case .unsupportedVersion(let header, let supported) = error else { return }
    require(!supported.contains(header.apiVersion))
    guard header.api == .apiVersions else { return }
    do throws(ProtocolError) {
      let answer = try ApiVersionsResponse.unsupportedVersion(of: header).encode()
      require(answer.byteCount == FrameSize.byteCount + 16)
    } catch {
      fatalError("the refusal cannot be written: \(error)")
    }
  }

  private static func writeAndReadAgain(_ request: Request, _ frame: Span<UInt8>) {
    do throws(ProtocolError) {
      let written = try request.encode()
      let bytes = written.filled(from: frame)
      require(written.byteCount == bytes.count)
      let size = try FrameSize.read(bytes.span)
      require(size == bytes.count - FrameSize.byteCount)
      let body = Array(bytes[FrameSize.byteCount...])
      let again = try Request.decode(body.span)
      require(again.header == request.header, "another header once written")
      require(again.body.api == request.body.api)
      require(again.trailing?.count == request.trailing?.count)
      let twice = try again.encode().filled(from: body.span)
      require(twice == bytes, "changed by being written twice")
    } catch {
      fatalError("read, but not once written: \(error)")
    }
  }
}
