/// A place in a log to begin reading at.
///
/// ```swift
/// log.records(from: .latest)
/// log.records(from: .since(.now - .seconds(60)))
/// log.records(from: 42)
/// ```
public enum LogPosition: Sendable, Equatable {
  /// The first record that the log still has.
  case earliest
  /// What is appended from now on.
  case latest
  /// The record with this offset, or the next one.
  case offset(Int64)
  /// The first record whose time is at or after this one; the end where there is none.
  case since(Timestamp)
}

extension LogPosition: ExpressibleByIntegerLiteral {
  /// The offset of the literal.
  public init(integerLiteral offset: Int64) { self = .offset(offset) }
}

/// Where a stream of records ends by itself.
///
/// ```swift
/// for try await record in log.records(through: .currentEnd) { print(record.offset) }
/// for try await record in log.records(from: 100, through: .offset(200)) { print(record.offset) }
/// ```
public enum StreamEnd: Sendable {
  /// Never: it waits for what is appended.
  case never
  /// Where the log ends when the stream is made.
  case currentEnd
  /// Before the record with this offset.
  case offset(Int64)
}
