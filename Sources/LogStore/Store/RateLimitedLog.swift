package import Logging

/// Writes log lines that a client, or a lasting state of the disk, can cause again and again.
///
/// The first line of a cause is written at once. After that a cause has at most one line a minute,
/// which says how many were left out. At most `causesMax` causes are counted separately; the others
/// share the line of one. Any thread.
package final class RateLimitedLog: Sendable {
  /// Time between two lines of a cause.
  static let intervalNs: Int64 = 60_000_000_000
  /// Most causes that are counted separately at a time.
  static let causesMax = 64
  /// The shared key of causes for which there is no room.
  private static let others = "others"

  private struct Cause {
    var level: Logger.Level
    /// The text of its last line and its source, for writing a count without a new line.
    var message: Logger.Message
    var place: Place
    /// When its next line may be written.
    var nextNs: Int64
    /// Lines left out since the last one.
    var leftOut = 0
  }

  private struct Place {
    var file: String
    var function: String
    var line: UInt
  }

  private let logger: Logger
  private let now: @Sendable () -> Int64
  private let causes = Locked<[String: Cause]>([:])

  /// Writes to `logger`; `now` gives monotonic nanoseconds.
  package init(_ logger: Logger, now: @escaping @Sendable () -> Int64) {
    self.logger = logger
    self.now = now
  }

  /// Writes a line, or counts it if its cause had one within the last minute.
  ///
  /// - Parameters:
  ///   - cause: Identifies repeated lines: a kind of event, and its subject if there are few. Not
  ///     text that a client can choose freely.
  ///   - message: Evaluated only if the line is written, as is `metadata`.
  package func log(
    _ level: Logger.Level, cause: String, _ message: @autoclosure () -> Logger.Message,
    metadata: @autoclosure () -> Logger.Metadata? = nil, file: String = #fileID,
    function: String = #function, line: UInt = #line
  ) {
    guard logger.logLevel <= level else { return }
    let nowNs = now()
    let place = Place(file: file, function: function, line: line)
    var due: [Cause] = []
    let found = causes.withLock { causes -> (Logger.Message, leftOut: Int)? in
      let key = Self.key(cause, in: &causes, nowNs, &due)
      if let known = causes[key], nowNs < known.nextNs {
        causes[key]?.leftOut += 1
        return nil
      }
      let text = message()
      let leftOut = causes[key]?.leftOut ?? 0
      causes[key] = Cause(
        level: level, message: text, place: place, nextNs: nowNs + Self.intervalNs)
      return (text, leftOut)
    }
    tell(due)
    guard let (text, leftOut) = found else { return }
    write(level, Self.counted(text, leftOut), metadata(), place)
  }

  /// Writes how many lines were left out for causes whose minute is over; call it periodically.
  package func tellDue() {
    let nowNs = now()
    tell(causes.withLock { Self.takeDue(&$0, nowNs) })
  }

  /// Writes how many lines were left out for each cause, its minute over or not: at the end.
  package func tellRest() {
    tell(causes.withLock { Self.takeDue(&$0, Int64.max - Self.intervalNs) })
  }

  /// The key of a cause: its name, or that of the others if the table is full.
  private static func key(
    _ cause: String, in causes: inout [String: Cause], _ nowNs: Int64, _ due: inout [Cause]
  ) -> String {
    if causes[cause] != nil || causes.count < causesMax { return cause }
    due = takeDue(&causes, nowNs)
    return causes.count < causesMax ? cause : others
  }

  /// Removes the counts of causes whose minute is over, and forgets causes that did not occur in
  /// it.
  private static func takeDue(_ causes: inout [String: Cause], _ nowNs: Int64) -> [Cause] {
    var due: [Cause] = []
    for (key, cause) in causes where cause.nextNs <= nowNs {
      if cause.leftOut == 0 {
        causes[key] = nil
      } else {
        due.append(cause)
        causes[key]?.leftOut = 0
        causes[key]?.nextNs = nowNs + intervalNs
      }
    }
    return due
  }

  private func tell(_ due: [Cause]) {
    for cause in due {
      write(cause.level, Self.counted(cause.message, cause.leftOut), nil, cause.place)
    }
  }

  private func write(
    _ level: Logger.Level, _ message: Logger.Message, _ metadata: Logger.Metadata?, _ place: Place
  ) {
    logger.log(
      level: level, message, metadata: metadata, file: place.file, function: place.function,
      line: place.line)
  }

  private static func counted(_ message: Logger.Message, _ leftOut: Int) -> Logger.Message {
    leftOut == 0 ? message : "\(message) (and \(leftOut) more since the last such line)"
  }
}
