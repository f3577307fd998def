import LogStore
import RecordFormat

/// A batch's header as JSON.
enum BatchObject {
  /// One line.
  static func object(
    _ header: BatchHeader, file: String, at position: Int, _ fault: BatchFault?
  ) -> JSONObject {
    var object = JSONObject(type: "batch")
    object.add("file", file)
    object.add("position", position)
    object.add("bytes", header.byteCount)
    object.add("magic", header.magic)
    object.add("baseOffset", header.baseOffset)
    object.add("lastOffset", header.lastOffset)
    object.add(
      "records",
      header.recordCount == BatchHeader.recordCountUnknown ? nil : header.recordCount)
    object.add("codec", header.codec.description)
    object.add("crc", header.crc)
    object.add("valid", fault == nil)
    object.add("fault", fault?.description)
    object.add("timestampType", RecordPrinter.timestampType(header))
    object.add("baseTimestamp", header.baseTimestamp)
    object.add("maxTimestamp", header.maxTimestamp)
    object.add("leaderEpoch", header.leaderEpoch)
    object.add("producerId", header.producerId)
    object.add("producerEpoch", header.producerEpoch)
    object.add("baseSequence", header.baseSequence)
    object.add("transactional", header.isTransactional)
    object.add("control", header.isControl)
    object.add("deleteHorizon", header.deleteHorizon)
    return object
  }
}
