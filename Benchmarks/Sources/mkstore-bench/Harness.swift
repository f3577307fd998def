import CMallocCounter
import Glibc

/// `--cpu-time`: count this thread's processor time instead, which other work on the machine
/// disturbs less; it leaves out waiting, so rows that sync or hand over mean nothing then.
let countsProcessorTime = CommandLine.arguments.contains("--cpu-time")

/// Nanoseconds of the clock in use.
@inline(__always)
func nowNs() -> Int64 {
  var time = timespec()
  clock_gettime(countsProcessorTime ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// Allocations of the process so far.
func allocations() -> UInt64 { malloc_counter_read() }

/// How large a run is: `tiny` keeps the code from rotting in CI, `full` is for numbers.
struct Scale {
  var isTiny: Bool
  /// Whether the cold rows leave it to the kernel to drop pages.
  var keepsPages = false
  /// Passes of each row; the median counts.
  var passes: Int { isTiny ? 1 : 7 }

  /// `full`, or a small fraction of it in a tiny run.
  func count(_ full: Int) -> Int { isTiny ? max(1, full / 200) : full }
}

/// One figure of one pass.
struct Pass {
  var seconds: Double
  /// Operations (records, bytes, calls: whatever the row counts).
  var units: Double
  var allocations: UInt64 = 0
  var operations: Double = 1
}

/// A row: the engine beside its ceiling, interleaved pass by pass, medians, and their ratio.
struct Row {
  var name: String
  var unit: String
  var goal: String
  var ours: () throws -> Pass
  var ceiling: (name: String, run: () throws -> Pass)?
  /// How often it runs in full; nil: as often as the others.
  var passes: Int?
  /// What else the row has to say, in place of this process's allocations.
  var note: (() -> String)?
  /// Lets go of what the row needed.
  var cleanUp: () -> Void = {}

  func run(_ scale: Scale) throws {
    defer { cleanUp() }
    var ourRates: [Double] = []
    var ceilingRates: [Double] = []
    var perOperation: [Double] = []
    for _ in 0..<(scale.isTiny ? 1 : passes ?? scale.passes) {
      if let ceiling {
        let pass = try ceiling.run()
        ceilingRates.append(pass.units / pass.seconds)
      }
      let pass = try ours()
      ourRates.append(pass.units / pass.seconds)
      perOperation.append(Double(pass.allocations) / pass.operations)
    }
    let rate = median(ourRates)
    var line = "\(name.padded(44)) \(format(rate).leftPadded(10)) \(unit.padded(12))"
    if let ceiling {
      let top = median(ceilingRates)
      line += " | \(ceiling.name) \(format(top)) \(unit), ratio \(format(rate / top))"
    }
    line += " | \(note?() ?? "allocations/op \(format(median(perOperation)))")"
    if !goal.isEmpty { line += " | goal \(goal)" }
    print(line)
  }
}

func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
}

func format(_ value: Double) -> String {
  func fixed(_ value: Double, _ digits: Int) -> String {
    var text = String(Int((value * (digits == 0 ? 1 : digits == 1 ? 10 : 1000)).rounded()))
    if digits == 0 { return text }
    let places = digits == 1 ? 1 : 3
    while text.count <= places { text = "0" + text }
    return text.dropLast(places) + "." + text.suffix(places)
  }
  if value >= 1e9 { return fixed(value / 1e9, 3) + " G" }
  if value >= 1e6 { return fixed(value / 1e6, 3) + " M" }
  if value >= 1e4 { return fixed(value / 1e3, 1) + " k" }
  return value >= 100 ? fixed(value, 1) : fixed(value, 3)
}

extension String {
  func padded(_ width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
  func leftPadded(_ width: Int) -> String {
    String(repeating: " ", count: max(0, width - count)) + self
  }
}

/// Keeps the optimiser from dropping work: mixed into the hash that is printed at the end.
nonisolated(unsafe) var sink: UInt64 = 0

@inline(never)
func consume(_ value: UInt64) { sink = sink &* 31 &+ value }
