public import CoreMetrics
internal import LogStore

/// A backend of swift-metrics that is read as Prometheus text. Any thread.
///
/// Install it once with `MetricsSystem.bootstrap` before the store is opened.
public final class PrometheusRegistry: MetricsFactory {
  private let cells = Locked<[MetricName: any MetricCell]>([:])

  /// No metrics yet.
  public init() {}

  /// Every metric in Prometheus's text format, sorted by name.
  public func text() -> String {
    var lines: [String] = []
    var last = ""
    let cells = cells.withLock { $0 }
    for (name, cell) in cells.sorted(by: { $0.key < $1.key }) {
      if name.name != last { lines += MetricHelp.head(name.name, cell.kind) }
      last = name.name
      lines += cell.lines(name)
    }
    for alias in MetricAlias.all {
      let sources = alias.sources.compactMap { cells[$0] }
      guard let first = sources.first else { continue }
      let kind = alias.isCount ? "counter" : first.kind
      if alias.name.name != last { lines += MetricHelp.head(alias.name.name, kind) }
      last = alias.name.name
      if sources.count == 1, !alias.isCount {
        lines += first.lines(alias.name)
      } else {
        let total = sources.reduce(0) { $0 + $1.total }
        lines.append("\(alias.name.text()) \(Int64(total))")
      }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// The cell of a name, made by `make` if there is none of the kind.
  private func cell<Cell: MetricCell>(
    _ label: String, _ dimensions: [(String, String)], _ make: () -> Cell
  ) -> Cell {
    let name = MetricName(label, dimensions)
    return cells.withLock { cells in
      if let known = cells[name] as? Cell { return known }
      let fresh = make()
      cells[name] = fresh
      return fresh
    }
  }

  /// A number that only increases.
  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    cell(label, dimensions) { CounterCell() }
  }

  /// A number that increases and decreases.
  public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    cell(label, dimensions) { GaugeCell() }
  }

  /// A histogram of sizes, or for a gauge the last value.
  public func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    if aggregate {
      return cell(label, dimensions) {
        HistogramCell(bounds: HistogramCell.countBounds, scale: 1)
      }
    }
    return cell(label, dimensions) { GaugeCell() }
  }

  /// A histogram of times, shown in seconds.
  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    cell(label, dimensions) { HistogramCell(bounds: HistogramCell.timeBounds, scale: 1e-9) }
  }

  /// Counters live as long as the process.
  public func destroyCounter(_: any CounterHandler) {}

  /// As `destroyCounter`.
  public func destroyMeter(_: any MeterHandler) {}

  /// As `destroyCounter`.
  public func destroyRecorder(_: any RecorderHandler) {}

  /// As `destroyCounter`.
  public func destroyTimer(_: any TimerHandler) {}
}
