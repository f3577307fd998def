internal import DiskIO
package import RecordFormat

extension FileRecords {
  /// Whether one of the batches is compressed with `codec`; looks at headers alone.
  package func contains(_ codec: CompressionCodec) throws(LogError) -> Bool {
    var bytes = [UInt8](repeating: 0, count: BatchHeader.byteCountMin)
    var at = position
    let end = position + byteCount
    while at < end {
      // A message of the old formats may be smaller than a batch's header.
      let wanted = min(bytes.count, end - at)
      do throws(DiskError) {
        var target = bytes.mutableSpan
        var part = target._mutatingExtracting(first: wanted)
        let count = try file.read(into: &part, at: at)
        guard count == wanted else { throw DiskError(.read, file.path, code: 5) }  // EIO
      } catch {
        throw LogError(error)
      }
      do throws(BatchError) {
        let header = try BatchHeader(bytes.span.extracting(first: wanted))
        if header.codec == codec { return true }
        at += header.byteCount
      } catch {
        throw .invalidBatch(error)
      }
    }
    return false
  }
}
