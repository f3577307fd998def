/// The state of a codec after a step of inflating.
enum InflateStep {
  /// There may be more; the step wrote this many bytes.
  case more(written: Int)
  /// The stream ended; the step wrote this many bytes.
  case end(written: Int)
}
