internal import DiskIO

/// What programs read of an error.
extension LogError {
  /// Which error it is: a number that no later version gives another meaning.
  ///
  /// ```swift
  /// switch error.code {
  /// case .diskFull: print("make room, then append again")
  /// case .poisoned: log = try await store.reopenLog(name)
  /// default: throw error
  /// }
  /// ```
  public struct Code: RawRepresentable, Hashable, Sendable {
    /// The number.
    public let rawValue: Int32

    /// Takes over a number, known or not.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// The offset is below the log's start or beyond its end.
    public static let offsetOutOfRange = Code(rawValue: 1)
    /// The offset lies in a damaged range; reading goes on at `offsets.upperBound` of the range.
    public static let corrupt = Code(rawValue: 2)
    /// The offset is within a batch, which is not taken apart: give its first offset, or the one
    /// after its last.
    public static let insideBatch = Code(rawValue: 3)
    /// Bytes given to `append` are no batch that may be appended.
    public static let invalidBatch = Code(rawValue: 4)
    /// A ready batch has a time that the log's settings do not allow.
    public static let invalidTimestamp = Code(rawValue: 5)
    /// A producer's batch does not follow its last one; some batch before it is missing.
    public static let outOfOrderSequence = Code(rawValue: 6)
    /// A batch that its producer sent before this one was refused because of the disk and has not
    /// come again: `expected` is its sequence. Send that one first, then this one.
    public static let earlierBatchRefused = Code(rawValue: 7)
    /// A producer with a newer epoch has taken this one's place.
    public static let invalidProducerEpoch = Code(rawValue: 8)
    /// A batch belongs to a transaction, or should, and the log knows it otherwise.
    public static let invalidTransactionState = Code(rawValue: 9)
    /// A batch is larger than `maxMessageBytes` or a segment.
    public static let recordTooLarge = Code(rawValue: 10)
    /// The log was opened for reading only.
    public static let readOnly = Code(rawValue: 11)
    /// A write or sync failed: what is on disk is uncertain; nothing more is written until the log
    /// is opened again, which checks it (`Store.reopenLog`, or opening the store again).
    public static let poisoned = Code(rawValue: 12)
    /// The file system is full, or the limit of file sizes (`ulimit -f`) is reached; nothing was
    /// appended and reads go on. Make room and try again.
    public static let diskFull = Code(rawValue: 13)
    /// The file system failed otherwise.
    public static let disk = Code(rawValue: 14)
    /// Another process (or another part of this one) writes to the store.
    public static let locked = Code(rawValue: 15)
    /// The log or store was closed.
    public static let closed = Code(rawValue: 16)
    /// No such store, log or file.
    public static let notFound = Code(rawValue: 17)
    /// The log exists already.
    public static let alreadyExists = Code(rawValue: 18)
    /// Not a topic name or not a `<topic>-<partition>` name by Kafka's rules.
    public static let invalidName = Code(rawValue: 19)
    /// A setting of the log's topic cannot be read, so that it is not known what may be appended;
    /// reads go on. Mend the file and open the store again.
    public static let settingsUnreadable = Code(rawValue: 20)
    /// A setting is out of its range.
    public static let invalidConfiguration = Code(rawValue: 21)
    /// A conditional append found that the log ends elsewhere; nothing was appended.
    public static let endOffsetMismatch = Code(rawValue: 22)
    /// The task was cancelled while it waited; `offsets` says what was appended, which stays.
    public static let cancelled = Code(rawValue: 23)
  }

  /// Which error it is.
  public var code: Code {
    switch kind {
    case .offsetOutOfRange: .offsetOutOfRange
    case .corrupt: .corrupt
    case .insideBatch: .insideBatch
    case .invalidBatch: .invalidBatch
    case .invalidTimestamp: .invalidTimestamp
    case .outOfOrderSequence: .outOfOrderSequence
    case .earlierBatchRefused: .earlierBatchRefused
    case .invalidProducerEpoch: .invalidProducerEpoch
    case .invalidTransactionState: .invalidTransactionState
    case .recordTooLarge: .recordTooLarge
    case .readOnly: .readOnly
    case .poisoned: .poisoned
    case .diskFull: .diskFull
    case .disk: .disk
    case .locked: .locked
    case .closed: .closed
    case .notFound: .notFound
    case .alreadyExists: .alreadyExists
    case .invalidName: .invalidName
    case .settingsUnreadable: .settingsUnreadable
    case .invalidConfiguration: .invalidConfiguration
    case .endOffsetMismatch: .endOffsetMismatch
    case .cancelled: .cancelled
    }
  }

  /// The file or directory that it is about, where there is one.
  public var path: String? {
    switch kind {
    case .corrupt(let range): range.file
    case .readOnly(let path), .poisoned(let path, _), .locked(let path, _), .closed(let path),
      .notFound(let path), .alreadyExists(let path), .settingsUnreadable(let path, _):
      path
    case .diskFull(let error), .disk(let error): error.path
    default: nil
    }
  }

  /// The offsets that it is about: what the log holds (`offsetOutOfRange`), what is lost
  /// (`corrupt`), the batch that an offset is within (`insideBatch`), the log's end
  /// (`endOffsetMismatch`, an empty range), what was appended (`cancelled`).
  public var offsets: Range<Int64>? {
    switch kind {
    case .offsetOutOfRange(_, let start, let end): start..<max(start, end)
    case .corrupt(let range): range.offsets
    case .insideBatch(_, let batch): batch
    case .endOffsetMismatch(_, let found): found..<found
    case .cancelled(let appended): appended
    default: nil
    }
  }

  /// The damaged bytes of `path` (`corrupt`).
  public var bytes: Range<Int>? {
    if case .corrupt(let range) = kind { range.bytes } else { nil }
  }

  /// The error of the disk or of the batch that led to this one.
  public var cause: (any Error)? {
    switch kind {
    case .invalidBatch(let error): error
    case .poisoned(_, let cause), .diskFull(let cause), .disk(let cause): cause
    default: nil
    }
  }

  /// What to do about it, where that is known; part of `description` too.
  public var remedy: String? {
    switch kind {
    case .offsetOutOfRange(_, let start, let end): "read from \(start) to \(end)"
    case .corrupt(let range):
      range.offsets.map { "go on at offset \($0.upperBound), or accept the loss" }
    case .insideBatch(_, let batch): "give \(batch.lowerBound) or \(batch.upperBound)"
    case .outOfOrderSequence(_, _, let expected): "send the batch with sequence \(expected) first"
    case .earlierBatchRefused(_, _, let expected):
      "send the batch with sequence \(expected) again first"
    case .recordTooLarge: "raise max.message.bytes or send less"
    case .poisoned: "open the log again, which checks what is on disk"
    case .diskFull: "make room and try again"
    case .locked: "stop the other writer"
    case .settingsUnreadable: "mend the file and open the store again"
    case .endOffsetMismatch: "read what was appended meanwhile and decide again"
    default: nil
    }
  }
}
