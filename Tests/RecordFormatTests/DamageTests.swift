import Foundation
import RecordFormat
import Testing

/// Whatever the bytes: no crash, and no damage unseen that a checksum covers.
@Suite struct DamageTests {
  static let whole = [
    "valid/headers-null-value.kp", "valid/control-commit-0.hand", "valid/codec-gzip-small.kp",
    "valid/codec-snappy-small.kp", "valid/codec-lz4-small.kp", "valid/codec-zstd-small.kp",
    "valid/delete-horizon-0.hand", "valid/idempotent.rd",
  ].filter {
    FileManager.default.fileExists(
      atPath: SharedVectors.packageRoot.path + "/Tests/Fixtures/batches/" + $0 + ".bin")
  }

  @Test func thereAreBatchesToDamage() {
    #expect(DamageTests.whole.count >= 5)
  }

  @Test(arguments: whole)
  func everyShorterLengthIsRefused(name: String) throws {
    let bytes = try SharedVectors.fixture(name)
    for count in 0..<bytes.count {
      let cut = Array(bytes[..<count])
      guard case .incomplete(let needed, let available) = fault(cut) else {
        Issue.record("\(count) of \(bytes.count) bytes: \(String(describing: fault(cut)))")
        continue
      }
      #expect(needed > available && available == count)
    }
  }

  @Test(arguments: whole)
  func everyFlippedBitUnderTheChecksumIsRefused(name: String) throws {
    let bytes = try SharedVectors.fixture(name)
    for position in 0..<bytes.count {
      for bit in 0..<8 {
        var damaged = bytes
        damaged[position] ^= 1 << bit
        let error = fault(damaged)
        // Before the checksum lie what a log may change (base offset, epoch), the length and the
        // magic byte. A flip of the latter two cannot leave a sound batch.
        let isCovered = position >= BatchLayout.crc || (8..<12).contains(position) || position == 16
        if isCovered { #expect(error != nil, "byte \(position) bit \(bit)") }
      }
    }
  }

  /// The same damage with the checksum made right again, as a broken writer would: the codecs and
  /// the record parser are on their own, and must neither crash nor hang.
  @Test(arguments: whole)
  func damageUnderARightChecksumNeverCrashes(name: String) throws {
    let bytes = try SharedVectors.fixture(name)
    var refused = 0
    for position in BatchLayout.attributes..<bytes.count {
      for bit in 0..<8 {
        var damaged = bytes
        damaged[position] ^= 1 << bit
        reseal(&damaged)
        if let error = fault(damaged) {
          #expect(!error.description.isEmpty)
          refused += 1
        }
      }
    }
    #expect(refused > 0)
  }

  @Test func randomBytesNeverCrash() {
    var seed = Seed()
    for _ in 0..<3000 {
      var payload = seed.bytes(max: 200)
      if Bool.random(using: &seed) {
        payload = (0..<payload.count).map { _ in UInt8.random(in: 0...255, using: &seed) }
      }
      let codec = CompressionCodec.allCases.randomElement(using: &seed) ?? .none
      let damaged = batch(
        codec: codec, payload: payload, recordCount: Int32.random(in: 0...5, using: &seed),
        lastOffsetDelta: Int32.random(in: 4...9, using: &seed))
      if let error = fault(damaged) { #expect(!error.description.isEmpty, "\(seed)") }
    }
  }
}
