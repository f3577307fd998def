internal import CoreMetrics
internal import Synchronization

/// One metric's value, and how it is shown. Any thread; every update is one or a few relaxed atomic
/// additions, since only the numbers count.
protocol MetricCell: AnyObject, Sendable {
  /// Prometheus's word for the kind.
  var kind: String { get }
  /// The lines of one scrape.
  func lines(_ name: MetricName) -> [String]
  /// The value; of a histogram, the number of its samples.
  var total: Double { get }
}

/// A number that only increases.
final class CounterCell: MetricCell, CounterHandler {
  private let value = Atomic<Int64>(0)

  var kind: String { "counter" }

  func increment(by amount: Int64) { value.wrappingAdd(amount, ordering: .relaxed) }

  func reset() { value.store(0, ordering: .relaxed) }

  var total: Double { Double(value.load(ordering: .relaxed)) }

  func lines(_ name: MetricName) -> [String] {
    ["\(name.text()) \(value.load(ordering: .relaxed))"]
  }
}

/// A number that increases and decreases; the last recorded one.
final class GaugeCell: MetricCell, RecorderHandler, MeterHandler {
  /// The bits of a Double.
  private let bits = Atomic<UInt64>(0)

  var kind: String { "gauge" }

  func record(_ value: Int64) { set(Double(value)) }

  func record(_ value: Double) { set(value) }

  func set(_ value: Int64) { set(Double(value)) }

  func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

  func increment(by amount: Double) { add(amount) }

  func decrement(by amount: Double) { add(-amount) }

  private func add(_ amount: Double) {
    var current = bits.load(ordering: .relaxed)
    while true {
      let next = (Double(bitPattern: current) + amount).bitPattern
      let (exchanged, original) = bits.compareExchange(
        expected: current, desired: next, ordering: .relaxed)
      if exchanged { return }
      current = original
    }
  }

  var total: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

  func lines(_ name: MetricName) -> [String] {
    ["\(name.text()) \(Double(bitPattern: bits.load(ordering: .relaxed)))"]
  }
}

/// How many values were below each bound: times in seconds, or sizes.
final class HistogramCell: MetricCell, TimerHandler, RecorderHandler {
  /// Upper bounds of times, nanoseconds: 50 µs to 10 s.
  static let timeBounds: [Int64] = [
    50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000,
    50_000_000, 100_000_000, 250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000,
    5_000_000_000, 10_000_000_000,
  ]
  /// Upper bounds of counts and sizes: powers of four.
  static let countBounds: [Int64] = (0...13).map { 1 << (2 * $0) }

  private final class Bucket: Sendable { let count = Atomic<Int64>(0) }

  private let bounds: [Int64]
  /// One unit of the bounds in the unit shown.
  private let scale: Double
  private let buckets: [Bucket]
  private let sum = Atomic<Int64>(0)

  init(bounds: [Int64], scale: Double) {
    self.bounds = bounds
    self.scale = scale
    buckets = (0...bounds.count).map { _ in Bucket() }
  }

  var kind: String { "histogram" }

  var total: Double { Double(buckets.reduce(0) { $0 + $1.count.load(ordering: .relaxed) }) }

  func recordNanoseconds(_ duration: Int64) { record(duration) }

  /// NaN does not count, and a value that is too large counts as the largest.
  func record(_ value: Double) {
    if value.isNaN { return }
    record(Int64(exactly: value.rounded(.towardZero)) ?? (value < 0 ? Int64.min : Int64.max))
  }

  func record(_ value: Int64) {
    let index = bounds.firstIndex { value <= $0 } ?? bounds.count
    buckets[index].count.wrappingAdd(1, ordering: .relaxed)
    sum.wrappingAdd(value, ordering: .relaxed)
  }

  func lines(_ name: MetricName) -> [String] {
    var lines: [String] = []
    var total: Int64 = 0
    for (index, bucket) in buckets.enumerated() {
      total += bucket.count.load(ordering: .relaxed)
      let bound = index < bounds.count ? "\(Double(bounds[index]) * scale)" : "+Inf"
      lines.append("\(name.text(suffix: "_bucket", extra: "le=\"\(bound)\"")) \(total)")
    }
    let shown = Double(sum.load(ordering: .relaxed)) * scale
    return lines + [
      "\(name.text(suffix: "_sum")) \(shown)", "\(name.text(suffix: "_count")) \(total)",
    ]
  }
}
