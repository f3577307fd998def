import Foundation
import MkstoreProtocol
import Testing

/// Frames cut short or changed: refused with an error, or read as some other message; never worse.
@Suite struct HostileFrameTests {
  static let seed: UInt64 = ProcessInfo.processInfo.environment["SEED"].flatMap { UInt64($0) } ?? 1

  @Test func framesAreThere() {
    #expect(WireFrame.captured.count >= 80)
    #expect(WireFrame.schema.count == 368)
  }

  @Test(arguments: WireFrame.all)
  func truncatedAnywhereIsRefused(_ frame: WireFrame) throws {
    let whole = try frame.content(of: frame.bytes)
    let needed = whole.encoded.byteCount - FrameSize.byteCount
    // The end of a message may be bytes that nothing needs: librdkafka's three.
    let trailing = try frame.name.isRequest ? Request.decode(frame.bytes).trailing?.count ?? 0 : 0
    // Long frames are all records: every byte of the fields, and samples of the rest.
    let step = max(1, frame.bytes.count / 1024)
    for count in stride(from: 0, to: needed - trailing, by: step) {
      do throws(ProtocolError) {
        _ = try frame.content(of: Array(frame.bytes.prefix(count)))
        Issue.record("\(frame.name) reads from its first \(count) bytes")
      } catch {
        guard case .malformed(let field) = error, field.position <= count else {
          Issue.record("\(frame.name) cut at \(count): \(error)")
          continue
        }
      }
    }
  }

  @Test(arguments: WireFrame.all)
  func changedByteIsRefusedOrReadsConsistently(_ frame: WireFrame) throws {
    for position in frame.bytes.indices.prefix(128) {
      let value: UInt8 = [0xff, 0x00, 0xff, 0x7f][position % 4]
      var mutation = frame.bytes
      mutation[position] = value
      checkConsistent(frame, mutation, "byte \(position) is \(value)")
    }
  }

  @Test func randomlyMangledFramesAreRefusedOrReadConsistently() throws {
    var random = SplitMix(state: Self.seed)
    for round in 0..<10_000 {
      guard let frame = WireFrame.schema.randomElement(using: &random) else { return }
      var mutation = frame.bytes
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let position = Int.random(in: 0..<mutation.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: mutation[position] = UInt8.random(in: 0...255, using: &random)
        case 1: mutation.insert(UInt8.random(in: 0...255, using: &random), at: position)
        case 2 where mutation.count > 1: mutation.remove(at: position)
        default: mutation.replaceSubrange(position..., with: mutation[..<position])
        }
        if mutation.isEmpty { mutation = [0] }
      }
      checkConsistent(frame, mutation, "SEED=\(Self.seed), round \(round)")
    }
  }

  /// Either an error, or a value that is the same after being written and read again.
  private func checkConsistent(_ frame: WireFrame, _ mutation: [UInt8], _ what: String) {
    guard let first = try? frame.content(of: mutation) else { return }
    let written = first.encoded.body(from: mutation)
    do {
      let second = try frame.content(of: written)
      let differences = second.tree.differences(from: first.tree)
      if !differences.isEmpty || second.encoded.body(from: written) != written {
        Issue.record("\(frame.name), \(what): changed by writing: \(differences)")
      }
    } catch {
      Issue.record("\(frame.name), \(what): reads, but not once written again: \(error)")
    }
  }
}

/// A small generator whose whole state is its seed.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var bits = state
    bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
    bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
    return bits ^ (bits >> 31)
  }
}
