import Foundation

/// Random numbers that a seed repeats: `SEED=n` in the environment, or a new one for each run.
struct Seed: RandomNumberGenerator, CustomStringConvertible {
  let value: UInt64
  private var state: UInt64

  init(_ value: UInt64? = nil) {
    let named = ProcessInfo.processInfo.environment["SEED"].flatMap { UInt64($0) }
    self.value = value ?? named ?? UInt64.random(in: 0...UInt64.max)
    state = self.value
  }

  /// What to put into the environment to see the same again.
  var description: String { "SEED=\(value)" }

  /// SplitMix64.
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Up to `max` random bytes, short ones more often.
  mutating func bytes(max: Int) -> [UInt8] {
    let count = Int.random(in: 0...Int.random(in: 0...max, using: &self), using: &self)
    return (0..<count).map { _ in UInt8.random(in: 0...3, using: &self) &* 85 }
  }

  /// `bytes`, or nil once in eight times.
  mutating func optionalBytes(max: Int) -> [UInt8]? {
    Int.random(in: 0..<8, using: &self) == 0 ? nil : bytes(max: max)
  }
}
