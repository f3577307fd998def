/// Name of one file of a segment: base offset in twenty digits, kind, and the stage of a file that
/// is being replaced or removed.
///
/// Source: Kafka's `LogFileUtils`; a base offset is stored only in file names.
package struct SegmentName: Hashable, Sendable {
  /// What a file of a segment holds.
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    /// Batches, one after another.
    case log
    /// Offset index.
    case index
    /// Time index.
    case timeindex
    /// Aborted transactions.
    case txnindex
    /// Producer state up to, not including, the offset in the name.
    case snapshot
  }

  /// Suffix of a file that is currently no part of the log.
  package enum Stage: String, Hashable, Sendable, CaseIterable {
    /// Renamed away, to be unlinked.
    case deleted
    /// Being written by the cleaner or a splitter; incomplete.
    case cleaned
    /// Complete, about to replace others.
    case swap
  }

  /// Whether it is the `.log` of a segment that is part of the log.
  package var isLog: Bool { kind == .log && stage == nil }

  /// Digits of an offset in a file name.
  static let digitCount = 20

  /// First offset that the segment may hold (for a snapshot: the offset of its state).
  package var baseOffset: Int64
  /// What the file holds.
  package var kind: Kind
  /// Nil for a file in use.
  package var stage: Stage?

  /// Names a file; `baseOffset` must not be negative.
  package init(_ baseOffset: Int64, _ kind: Kind, stage: Stage? = nil) {
    precondition(baseOffset >= 0, "negative base offset \(baseOffset)")
    self.baseOffset = baseOffset
    self.kind = kind
    self.stage = stage
  }

  /// Reads a file name; nil if it is not exactly one that `fileName` gives.
  package init?(_ fileName: String) {
    let parts = fileName.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2 || parts.count == 3,
      let offset = Self.offset(parts[0]),
      let kind = Kind(rawValue: String(parts[1]))
    else { return nil }
    var stage: Stage?
    if parts.count == 3 {
      guard let known = Stage(rawValue: String(parts[2])) else { return nil }
      stage = known
    }
    self.init(offset, kind, stage: stage)
  }

  /// The name in the directory, e.g. `00000000000000000042.log.swap`.
  package var fileName: String {
    let name = "\(Self.digits(baseOffset)).\(kind.rawValue)"
    guard let stage else { return name }
    return "\(name).\(stage.rawValue)"
  }

  /// The offset in twenty digits, as `%020d`.
  package static func digits(_ offset: Int64) -> String {
    precondition(offset >= 0, "negative offset \(offset)")
    let digits = String(offset)
    return String(repeating: "0", count: digitCount - digits.utf8.count) + digits
  }

  /// Exactly twenty ASCII digits within Int64.
  private static func offset(_ text: Substring) -> Int64? {
    guard text.utf8.count == digitCount,
      text.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") })
    else { return nil }
    return Int64(text)
  }
}
