import CMkstoreShims
import MkstoreBytes
import Testing

/// The definition, one bit at a time.
private func bitwise(_ bytes: ArraySlice<UInt8>) -> UInt32 {
  var state: UInt32 = 0xffff_ffff
  for byte in bytes {
    state ^= UInt32(byte)
    for _ in 0..<8 { state = state & 1 == 0 ? state >> 1 : (state >> 1) ^ 0x82F6_3B78 }
  }
  return ~state
}

/// One way to compute the checksum, on a machine that has it.
private func checksum(kind: Int32, _ bytes: ArraySlice<UInt8>, after crc: UInt32 = 0) -> UInt32 {
  // Safe: the kernel reads exactly the slice.
  unsafe bytes.withUnsafeBytes { unsafe mk_crc32c_by(kind, crc, $0.baseAddress, $0.count) }
}

private let usableKinds = (0..<Int32(MK_CRC32C_KINDS.rawValue)).filter { mk_crc32c_can_use($0) }

@Suite struct CRC32CTests {
  /// Bytes without a pattern; the same on each run.
  private let noise: [UInt8] = {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    return (0..<20_000).map { _ in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return UInt8(truncatingIfNeeded: state)
    }
  }()

  @Test func thePortableKernelIsAlwaysThere() {
    #expect(usableKinds.contains(Int32(MK_CRC32C_TABLE.rawValue)))
    #expect(usableKinds.contains(mk_crc32c_kind_in_use()))
  }

  @Test(arguments: usableKinds)
  func checkValueOfEachKernel(kind: Int32) {
    #expect(checksum(kind: kind, ArraySlice("123456789".utf8)) == 0xE306_9283)
    #expect(checksum(kind: kind, []) == 0)
  }

  @Test func checkValueOfTheOneInUse() {
    #expect(CRC32C.checksum(Array("123456789".utf8).span) == 0xE306_9283)
  }

  @Test(arguments: usableKinds)
  func everyLengthMatchesTheDefinition(kind: Int32) {
    for count in 0...2000 {
      let start = count % 67
      let slice = noise[start..<start + count]
      let expected = bitwise(slice)
      #expect(checksum(kind: kind, slice) == expected, "length \(count) from \(start)")
    }
  }

  @Test(arguments: usableKinds)
  func everyAlignmentMatchesTheDefinition(kind: Int32) {
    for start in 0..<64 {
      for count in [0, 1, 255, 256, 383, 384, 511, 3071, 3072, 9000] {
        let slice = noise[start..<start + count]
        #expect(
          checksum(kind: kind, slice) == bitwise(slice), "length \(count) from \(start)")
      }
    }
  }

  @Test(arguments: usableKinds)
  func continuingEqualsOneGo(kind: Int32) {
    let whole = noise[0..<5000]
    let expected = bitwise(whole)
    for cut in stride(from: 0, through: 5000, by: 37) {
      let first = checksum(kind: kind, whole[..<cut])
      #expect(checksum(kind: kind, whole[cut...], after: first) == expected, "cut at \(cut)")
    }
  }
}
