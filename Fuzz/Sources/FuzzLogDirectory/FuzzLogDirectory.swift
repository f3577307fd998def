import StoreTesting

/// What libFuzzer calls with each input: arbitrary bytes, taken for a store's directory.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzLogDirectory(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  // Safe: libFuzzer vouches for `count` bytes at `start` during the call.
  let input = unsafe Span<UInt8>(
    _unsafeElements: UnsafeBufferPointer(start: start, count: count))
  LogDirectoryScenario.run(input)
  return 0
}
