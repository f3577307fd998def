import StoreTesting

/// What libFuzzer calls with each input: arbitrary bytes, taken for what a program does with a log.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzLogUse(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  // Safe: libFuzzer vouches for `count` bytes at `start` during the call.
  let input = unsafe Span<UInt8>(
    _unsafeElements: UnsafeBufferPointer(start: start, count: count))
  LogUseScenario.run(input)
  return 0
}
