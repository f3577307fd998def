import Glibc

/// The number a random test is made from, so that a failure can be replayed.
///
/// ```swift
/// let seed = Seed.fromEnvironment()
/// var generator = seed.generator
/// let input = generator.bytes(100)
/// print(seed)  // SEED=8127
/// ```
///
/// Print it with every failure; `SEED=<number> swift test --filter <test>` repeats the run.
public struct Seed: Sendable, Hashable, CustomStringConvertible {
  /// The number itself.
  public var value: UInt64

  /// A known number.
  public init(_ value: UInt64) {
    self.value = value
  }

  /// The number in the environment variable `SEED` (decimal, or hexadecimal after `0x`), else a new
  /// one from the system.
  public static func fromEnvironment() -> Seed {
    fromEnvironment(else: UInt64.random(in: .min ... .max))
  }

  /// The number in the environment variable `SEED`, else `fallback`: for tests that are the same in
  /// every run unless requested otherwise.
  public static func fromEnvironment(else fallback: UInt64) -> Seed {
    // Safe: the string is copied before anything can change the environment.
    guard let text = unsafe getenv("SEED").map({ unsafe String(cString: $0) }) else {
      return Seed(fallback)
    }
    let value =
      text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text, radix: 10)
    guard let value else { preconditionFailure("SEED=\(text) is not a number") }
    return Seed(value)
  }

  /// The generator that this seed starts.
  public var generator: SeededGenerator { SeededGenerator(seed: value) }

  /// The `index`-th seed derived from this one, for a test of many runs.
  public func derived(_ index: Int) -> Seed {
    var generator = SeededGenerator(seed: value ^ (UInt64(bitPattern: Int64(index)) &* 0x9E37_79B9))
    return Seed(generator.next())
  }

  /// `SEED=<number>`, ready to be pasted before the command.
  public var description: String { "SEED=\(value)" }
}
