import RecordFormat

/// What libFuzzer calls with each input: arbitrary bytes, taken for what a segment holds.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzBatch(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  // Safe: libFuzzer vouches for `count` bytes at `start` during the call.
  let bytes = unsafe Span<UInt8>(
    _unsafeElements: UnsafeBufferPointer(start: start, count: count))
  readEntries(bytes)
  return 0
}

/// Walks over the entries; each must be read, or refused with an error that says something.
private func readEntries(_ bytes: Span<UInt8>) {
  var batches = RecordBatches(bytes)
  do throws(BatchError) {
    while let batch = try batches.next() { BatchCheck.run(batch) }
    precondition(batches.position == bytes.count, "the walk ended early without an error")
  } catch {
    precondition(!error.description.isEmpty)
    precondition(batches.position <= bytes.count, "the walk passed the end")
  }
}
