/// Time since its creation, by a clock that never goes back.
struct Stopwatch: Sendable {
  private let start = ContinuousClock.now

  /// Whole milliseconds.
  var elapsedMs: Int {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
  }
}
