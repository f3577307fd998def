/// Interprets arbitrary bytes as a program's use of a log on a disk that fails and loses power, and
/// compares the engine with an array of records: what was acknowledged is there once and in order
/// after any cut, and what is read is what was appended.
///
/// ```swift
/// var generator = SeededGenerator(seed: 7)
/// let steps = LogUseScenario.run(generator.bytes(200).span)
/// ```
///
/// Run by the fuzz target `FuzzLogUse` and, over the corpus and random inputs, by a test.
public enum LogUseScenario {
  /// Steps of one input at most.
  private static let stepsMax = 96

  /// Runs it over one input; traps if a promise is broken.
  ///
  /// - Returns: How often each step was taken, by name.
  @discardableResult
  public static func run(_ input: Span<UInt8>) -> [String: Int] {
    var choices = InputChoices(input)
    var use = LogUse(&choices)
    var counts: [String: Int] = [:]
    for _ in 0..<stepsMax where !choices.isAtEnd {
      counts[use.step(&choices), default: 0] += 1
    }
    use.finish(&choices)
    return counts.merging(use.aging.counts, uniquingKeysWith: +)
  }
}

/// The bytes of an input as the choices of a scenario; zeros after its end.
struct InputChoices {
  private var bytes: [UInt8] = []
  private var position = 0

  init(_ input: Span<UInt8>) {
    bytes.reserveCapacity(input.count)
    for index in input.indices { bytes.append(input[index]) }
  }

  var isAtEnd: Bool { position >= bytes.count }

  mutating func byte() -> UInt8 {
    guard position < bytes.count else { return 0 }
    defer { position += 1 }
    return bytes[position]
  }

  /// A number below `count`, which is positive.
  mutating func index(below count: Int) -> Int {
    count <= 256 ? Int(byte()) % count : (Int(byte()) << 8 | Int(byte())) % count
  }

  /// One of `values`, which are not empty.
  mutating func one<Value>(of values: [Value]) -> Value { values[index(below: values.count)] }
}
