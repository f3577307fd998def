import RecordFormat
import Testing

@Suite struct ControlRecordTests {
  /// A control batch of one record with this key and value.
  private func control(_ key: [UInt8], _ value: [UInt8]) -> [UInt8] {
    let body =
      [0, 0, 0, UInt8(key.count * 2)] + key + [UInt8(value.count * 2)] + value + [0]
    return batch(
      codec: .none, payload: [UInt8(body.count * 2)] + body, recordCount: 1, attributes: 0x30)
  }

  @Test func aCommitMarkerTellsItsEpoch() throws {
    let bytes = control([0, 0, 0, 1], [0, 0, 0, 0, 0, 4])
    #expect(bytes.count == 78)
    let record = try #require(try records(bytes).first)
    let marker = try #require(record.control)
    #expect(marker.kind == .commit(coordinatorEpoch: 4))
    #expect(marker.version == 0 && marker.type == 1 && marker.description == "COMMIT")
    #expect(fault(bytes, .produced(maxMessageBytes: 1000)) != nil)
  }

  @Test func anAbortMarkerIsToldApart() throws {
    let bytes = control([0, 0, 0, 0], [0, 0, 0, 0, 1, 0])
    #expect(try records(bytes)[0].control?.kind == .abort(coordinatorEpoch: 256))
  }

  @Test func unknownTypesAreReadAndNotJudged() throws {
    #expect(try records(control([0, 0, 0, 9], []))[0].control?.kind == .other(type: 9))
    #expect(try records(control([0, 0, 0, 2], []))[0].control?.description == "LEADER_CHANGE")
    #expect(fault(control([0, 1, 0, 9, 5], [])) == nil)
  }

  @Test(arguments: [
    ([0, 0, 0], [0, 0, 0, 0, 0, 4], "controlKey"),
    ([255, 255, 0, 1], [0, 0, 0, 0, 0, 4], "version"),
    ([0, 0, 0, 1], [0, 0, 0, 0, 0], "controlValue"),
    ([0, 0, 0, 0], [255, 0, 0, 0, 0, 1], "version"),
  ])
  func damagedMarkersAreRefused(key: [UInt8], value: [UInt8], text: String) throws {
    let error = try #require(fault(control(key, value)))
    #expect(error.description.contains(text))
  }

  @Test func severalRecordsInAControlBatchAreRefused() {
    var bytes = control([0, 0, 0, 1], [0, 0, 0, 0, 0, 4])
    bytes[BatchLayout.lastOffsetDelta + 3] = 1
    bytes[BatchLayout.recordCount + 3] = 2
    reseal(&bytes)
    #expect(fault(bytes)?.description.contains("recordCount") == true)
  }
}
