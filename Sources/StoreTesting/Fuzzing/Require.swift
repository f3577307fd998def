/// Ends the process if a promise of the engine is broken, and says which: a fuzz target is a
/// release build, in which `precondition` is silent.
@inline(__always)
func require(
  _ isKept: Bool, _ broken: @autoclosure () -> String = "a promise is broken",
  file: StaticString = #fileID, line: UInt = #line
) {
  if !isKept { fatalError(broken(), file: file, line: line) }
}
