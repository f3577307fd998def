import MkstoreBytes
import Testing

@Suite struct SpanTests {
  private let bytes: [UInt8] = [0x00, 0xF1, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09]

  @Test func loadsAreBigEndianAtAnyOffset() {
    #expect(bytes.span.loadBigEndian(UInt8.self, at: 9) == 9)
    #expect(bytes.span.loadBigEndian(Int16.self, at: 1) == -0x0EFE)
    #expect(bytes.span.loadBigEndian(UInt32.self, at: 3) == 0x0304_0506)
    #expect(bytes.span.loadBigEndian(Int64.self, at: 2) == 0x0203_0405_0607_0809)
  }

  @Test func storesAreBigEndianAndTouchNothingElse() {
    var target = [UInt8](repeating: 0xAA, count: 8)
    var span = target.mutableSpan
    span.storeBigEndian(Int32(0x0102_0304), at: 3)
    #expect(span.loadBigEndian(Int32.self, at: 3) == 0x0102_0304)
    #expect(target == [0xAA, 0xAA, 0xAA, 1, 2, 3, 4, 0xAA])
  }

  @Test func copyPutsAllBytesInPlace() {
    var target = [UInt8](repeating: 0, count: 6)
    var span = target.mutableSpan
    span.copy([7, 8, 9].span, at: 3)
    span.copy([UInt8]().span, at: 6)
    #expect(target == [0, 0, 0, 7, 8, 9])
    #expect([UInt8](copying: target.span.extracting(2..<5)) == [0, 7, 8])
  }

  @Test func accessBeyondTheEndTraps() async {
    await #expect(processExitsWith: .failure) {
      _ = [UInt8](repeating: 0, count: 7).span.loadBigEndian(Int64.self, at: 0)
    }
    await #expect(processExitsWith: .failure) {
      _ = [UInt8](repeating: 0, count: 8).span.loadBigEndian(Int8.self, at: -1)
    }
    await #expect(processExitsWith: .failure) {
      var target = [UInt8](repeating: 0, count: 4)
      var span = target.mutableSpan
      span.storeBigEndian(Int32(1), at: 1)
    }
    await #expect(processExitsWith: .failure) {
      var target = [UInt8](repeating: 0, count: 4)
      var span = target.mutableSpan
      span.copy([1, 2].span, at: 3)
    }
  }

  @Test func storageKeepsWhatItIsToldToKeep() {
    var storage = ByteStorage(capacity: 16)
    do {
      var all = storage.mutableBytes(0..<16)
      for index in 0..<16 { all[index] = UInt8(index) }
    }
    storage.reserve(1000, keeping: 16)
    #expect(storage.capacity >= 1000)
    #expect([UInt8](copying: storage.bytes(0..<18)) == Array(0..<16) + [0, 0])
    storage.moveToFront(4..<9)
    #expect([UInt8](copying: storage.bytes(0..<5)) == [4, 5, 6, 7, 8])
    storage.shrink(to: 100)
    #expect(storage.capacity == 100)
  }

  @Test func aReaderNeverPassesItsEnd() {
    var reader = ByteReader(bytes.span, at: 8)
    let (byte, tooFar, backwards) = (reader.readByte(), reader.skip(2), reader.skip(-1))
    #expect(byte == 8 && !tooFar && !backwards)
    let (position, oneMore) = (reader.position, reader.skip(1))
    #expect(position == 9 && oneMore)
    let (none, none32, none64) = (reader.readByte(), reader.readVarint32(), reader.readVarint64())
    #expect(none == nil && none32 == nil && none64 == nil)
    let remaining = reader.remaining
    #expect(remaining == 0)
    var first = ByteReader(bytes.span).first(2)
    let (two, third) = (first.skip(2), first.readByte())
    #expect(two && third == nil)
  }
}
