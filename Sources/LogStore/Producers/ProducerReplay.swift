internal import DiskIO
internal import RecordFormat

/// Applies stored batches to a `ProducerState`, markers included. One thread.
package final class ProducerReplay {
  var state: ProducerState
  /// Transactions that were seen to be aborted.
  package private(set) var aborted: [AbortedTransaction] = []
  private var decoder = RecordDecoder()

  init(_ state: ProducerState) { self.state = state }

  /// Applies the next batch of the log; one that the state already has changes nothing.
  ///
  /// - Parameters:
  ///   - bytes: The whole batch, whose CRC is right.
  ///   - activeMs: When it was appended, as far as is known.
  package func take(_ header: BatchHeader, _ bytes: Span<UInt8>, activeMs: Int64) {
    guard header.nextOffset > state.endOffset else { return }
    state.endOffset = header.nextOffset
    guard header.producerId >= 0 else { return }
    guard header.isControl else { return state.note(header, activeMs: activeMs) }
    var marker: (isAbort: Bool, coordinatorEpoch: Int32, timestamp: Int64)?
    do throws(BatchError) {
      try RecordBatch(bytes).forEachRecord(&decoder) { (record) throws(BatchError) in
        switch try ControlRecord(record).kind {
        case .abort(let epoch): marker = (true, epoch, record.timestamp)
        case .commit(let epoch): marker = (false, epoch, record.timestamp)
        case .other: break
        }
        return false
      }
    } catch {
      // The CRC is right but the marker is invalid: it was written so, and ends no transaction.
      return
    }
    guard let marker else { return }
    let transaction = state.noteMarker(
      header, coordinatorEpoch: marker.coordinatorEpoch, isAbort: marker.isAbort,
      timestamp: marker.timestamp, activeMs: activeMs)
    if let transaction { aborted.append(transaction) }
  }
}
