import MkstoreBytes

/// The content of the one record of a control batch.
///
/// ```swift
/// for record in try batch.records(&decoder) {
///   if case .abort = record.control?.kind { print("the transaction was aborted") }
/// }
/// ```
public struct ControlRecord: Sendable, Equatable, CustomStringConvertible {
  /// What happened. Unknown types must be ignored.
  public enum Kind: Sendable, Equatable {
    /// The transaction was aborted.
    case abort(coordinatorEpoch: Int32)
    /// The transaction was committed.
    case commit(coordinatorEpoch: Int32)
    /// Belongs to the metadata log, or to a later Kafka.
    case other(type: Int16)
  }

  /// Version of the key.
  public var version: Int16
  /// What happened.
  public var kind: Kind

  /// The stored type: 0 abort, 1 commit, and those of the metadata log.
  public var type: Int16 {
    switch kind {
    case .abort: 0
    case .commit: 1
    case .other(let type): type
    }
  }

  /// The name that Kafka's tools print.
  public var description: String {
    switch kind {
    case .abort: "ABORT"
    case .commit: "COMMIT"
    case .other(2): "LEADER_CHANGE"
    case .other(3): "SNAPSHOT_HEADER"
    case .other(4): "SNAPSHOT_FOOTER"
    case .other(5): "KRAFT_VERSION"
    case .other(6): "KRAFT_VOTERS"
    case .other: "UNKNOWN"
    }
  }

  /// Reads the key and the value of a control record.
  ///
  /// - Throws: `.record` with `controlKey` or `controlValue` if one is too short or has a negative
  ///   version.
  public init(_ record: borrowing RecordView) throws(BatchError) {
    let position = record.fields.keyStart
    guard let key = record.key, key.count >= 4 else {
      throw .record(
        0, .controlKey, position: .stored(position), found: Int64(record.fields.keyCount),
        expected: "at least 4 bytes")
    }
    version = key.loadBigEndian(Int16.self, at: 0)
    guard version >= 0 else {
      throw .record(
        0, .controlKey, position: .stored(position), found: Int64(version),
        expected: "a version of at least 0")
    }
    let type = key.loadBigEndian(Int16.self, at: 2)
    guard type == 0 || type == 1 else {
      kind = .other(type: type)
      return
    }
    guard let value = record.value, value.count >= 6 else {
      throw .record(
        0, .controlValue, position: .stored(record.fields.valueStart),
        found: Int64(record.fields.valueCount), expected: "at least 6 bytes")
    }
    let valueVersion = value.loadBigEndian(Int16.self, at: 0)
    guard valueVersion >= 0 else {
      throw .record(
        0, .controlValue, position: .stored(record.fields.valueStart),
        found: Int64(valueVersion), expected: "a version of at least 0")
    }
    let epoch = value.loadBigEndian(Int32.self, at: 2)
    kind = type == 0 ? .abort(coordinatorEpoch: epoch) : .commit(coordinatorEpoch: epoch)
  }
}
