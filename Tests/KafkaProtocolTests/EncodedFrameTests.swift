import MkstoreProtocol
import Testing

/// Frames as the server sends them, and the bytes in front of them.
@Suite struct EncodedFrameTests {
  private func partition(_ index: Int32, _ records: ByteRange?) -> FetchResponse.Topic.Partition {
    .with {
      $0.partitionIndex = index
      $0.records = records
    }
  }

  /// A Fetch v11 response with the given records, one partition each.
  private func response(_ records: [ByteRange?]) -> Response {
    let topic = FetchResponse.Topic.with {
      $0.topic = "t"
      $0.partitions = records.enumerated().map { partition(Int32($0), $1) }
    }
    return Response(version: 11, correlationId: 1, .fetch(.with { $0.responses = [topic] }))
  }

  @Test func recordsAreGapsInTheirOrder() throws {
    let frame = try response([
      ByteRange(offset: 1000, count: 30), ByteRange(offset: 7, count: 5),
    ]).encode()
    #expect(
      frame.gaps.map(\.source) == [
        ByteRange(offset: 1000, count: 30), ByteRange(offset: 7, count: 5),
      ])
    let first = frame.gaps[0].position
    let second = frame.gaps[1].position
    #expect(second == frame.bytes.count)
    #expect(
      frame.segments == [
        .bytes(0..<first), .records(ByteRange(offset: 1000, count: 30)),
        .bytes(first..<second), .records(ByteRange(offset: 7, count: 5)),
      ])
    // Each gap stands behind the length of its records.
    #expect(frame.bytes[(first - 4)..<first] == [0, 0, 0, 30])
    #expect(frame.bytes[(second - 4)..<second] == [0, 0, 0, 5])
    #expect(frame.byteCount == frame.bytes.count + 35)
    #expect(try FrameSize.read(frame.bytes) == frame.byteCount - 4)
  }

  @Test func emptyRecordsAreALengthOfZeroAndNoGap() throws {
    let empty = try response([ByteRange(offset: 0, count: 0)]).encode()
    #expect(empty.gaps == [])
    #expect(empty.segments == [.bytes(0..<empty.bytes.count)])
    #expect(empty.bytes.suffix(4) == [0, 0, 0, 0])
    let null = try response([nil]).encode()
    #expect(null.bytes.suffix(4) == [0xff, 0xff, 0xff, 0xff])
  }

  @Test func recordsLargerThanAFrameAreRefused() {
    let large = Int(Int32.max) - 20
    for records in [[ByteRange(offset: 0, count: large)], [ByteRange(offset: 0, count: 1 << 40)]] {
      do throws(ProtocolError) {
        _ = try response(records).encode()
        Issue.record("encoded")
      } catch {
        guard case .frameTooLarge = error else {
          Issue.record("\(error)")
          continue
        }
      }
    }
  }

  @Test func producedRecordsAreFoundInTheFrame() throws {
    let body = RequestBody.produce(
      .with {
        $0.acks = -1
        $0.topicData = [
          .with {
            $0.name = "t"
            $0.partitionData = [
              .with { $0.records = ByteRange(offset: 2, count: 3) }, .init(),
            ]
          }
        ]
      })
    let request = Request(version: 9, correlationId: 1, clientId: "c", body: body)
    let frame = try request.encode().body(from: [9, 9, 0xa, 0xb, 0xc, 9])
    guard case .produce(let produce) = try Request.decode(frame).body else {
      Issue.record("not Produce")
      return
    }
    let partitions = produce.topicData[0].partitionData
    let range = try #require(partitions[0].records)
    #expect(frame[range.range] == [0xa, 0xb, 0xc])
    #expect(partitions[1].records == nil)
  }

  @Test(arguments: [
    (1 as Int32, true), (99, true), (100, true), (101, false), (0, false), (-1, false),
    (.min, false), (.max, false),
  ])
  func frameSizeIsLimited(_ size: Int32, _ isGood: Bool) throws {
    let bytes = (0..<4).map { UInt8(truncatingIfNeeded: size >> (24 - 8 * $0)) }
    let limits = ProtocolLimits(frameBytesMax: 100)
    if isGood {
      #expect(try FrameSize.read(bytes + [1, 2], limits: limits) == Int(size))
    } else {
      #expect(throws: ProtocolError.frameSize(size, limit: 100, guess: nil)) {
        try FrameSize.read(bytes, limits: limits)
      }
    }
    #expect(try FrameSize.read(Array(bytes.prefix(3)), limits: limits) == nil)
  }

  @Test(arguments: [
    ("GET / HTTP/1.1", "HTTP"), ("POST /topics", "HTTP"), ("\u{16}\u{3}\u{1}\u{2}", "TLS"),
    ("SSH-2.0-", nil),
  ])
  func otherProtocolsAreNamed(_ text: String, _ guess: String?) {
    do throws(ProtocolError) {
      _ = try FrameSize.read(Array(text.utf8))
      Issue.record("accepted \(text)")
    } catch {
      guard case .frameSize(_, limit: 104_857_600, let found) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(found == guess)
    }
  }

  @Test func errorsNameMessageFieldAndPosition() throws {
    let topics: [MetadataRequest.Topic] = ["ab", "cd"].map { name in .with { $0.name = name } }
    let body = RequestBody.metadata(.with { $0.topics = topics })
    var frame = try Request(version: 1, correlationId: 1, clientId: "me", body: body)
      .encode().body()
    frame[frame.count - 1] = 0xff
    do throws(ProtocolError) {
      _ = try Request.decode(frame)
      Issue.record("reads")
    } catch {
      #expect(
        error.description
          == "Metadata v1 request, Topics[1].Name at byte 22: string is not UTF-8")
    }
  }

  /// Kafka replaces the bytes, and no client is turned away for its name.
  @Test func aClientIdThatIsNotTextIsReplaced() throws {
    let body = RequestBody.metadata(.with { $0.topics = [] })
    for version: Int16 in [1, 12] {
      var frame = try Request(version: version, correlationId: 1, clientId: "Muller", body: body)
        .encode().body()
      // The name begins behind two bytes each of API, version and length, and four of correlation.
      frame[11] = 0xfc
      #expect(try Request.decode(frame).header.clientId == "M?ller")
    }
  }

  @Test func uuidIsShownAsKafkaShowsIt() {
    // Java: new UUID(0x109200a90deb499a, 0x88a8ba64e3dee4c3) in URL-safe base64.
    let uuid = KafkaUuid(high: 0x1092_00a9_0deb_499a, low: 0x88a8_ba64_e3de_e4c3)
    #expect(uuid.description == "EJIAqQ3rSZqIqLpk497kww")
    #expect(KafkaUuid().description == "AAAAAAAAAAAAAAAAAAAAAA")
    #expect(KafkaUuid().isZero && !uuid.isZero)
  }
}
