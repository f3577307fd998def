package import Logging

/// Log lines that a client, or a state of the disk that lasts, can cause again and again.
///
/// The first line of a cause is written at once; from then on a cause has at most one line a
/// minute, which says how many were left out. At most `causesMax` are told apart; the others share
/// the line of one. Any thread.
package final class RateLimitedLog: Sendable {
  /// Time between two lines of a cause.
  package static let intervalNs: Int64 = 60_000_000_000
  /// Most causes that are told apart at a time.
  package static let causesMax = 64
  /// What causes share for which there is no room.
  private static let others = "others"

  private struct Cause {
    var level: Logger.Level
    /// The text of its last line and where it came from, for a count that comes without another.
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

  /// Writes a line, or counts it where its cause had one within the last minute.
  ///
  /// - Parameters:
  ///   - cause: What makes it the same line again: a kind of event, and whom it is about where
  ///     there are few of them. Not what a client can choose freely.
  ///   - message: Looked at only where the line is written, as `metadata` is.
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

  /// Says how many lines were left out of causes whose minute is over; call it now and then.
  package func tellDue() {
    let nowNs = now()
    tell(causes.withLock { Self.takeDue(&$0, nowNs) })
  }

  /// Says how many lines were left out of each cause, its minute over or not: at the end.
  package func tellRest() {
    tell(causes.withLock { Self.takeDue(&$0, Int64.max - Self.intervalNs) })
  }

  /// The key of a cause: its name, or that of the others where the table is full.
  private static func key(
    _ cause: String, in causes: inout [String: Cause], _ nowNs: Int64, _ due: inout [Cause]
  ) -> String {
    if causes[cause] != nil || causes.count < causesMax { return cause }
    due = takeDue(&causes, nowNs)
    return causes.count < causesMax ? cause : others
  }

  /// Takes out what was left out of causes whose minute is over, and forgets those that were not
  /// met in it.
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
