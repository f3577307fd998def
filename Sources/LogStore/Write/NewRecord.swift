public import RecordFormat

/// A record to be appended. It gets its offset from the log.
///
/// ```swift
/// NewRecord(key: "anna", value: "2 apples")
/// NewRecord(key: "ben", value: "1 pear", headers: ["currency": "EUR"])
/// NewRecord(key: "anna", value: nil)  // in a compacted topic: anna is deleted
/// ```
public struct NewRecord: Sendable, Equatable {
  /// The key; nil for none.
  public var key: [UInt8]?
  /// The value; nil for none, which deletes the key where the topic is compacted.
  public var value: [UInt8]?
  /// Names and values in order; a name may come twice.
  public var headers: [RecordHeader]
  /// The record's time; nil means the time of the append.
  public var time: Timestamp?

  /// A record of texts (stored as UTF-8) or bytes.
  ///
  /// - Parameters:
  ///   - key: What the record is about; nil for none.
  ///   - value: What it says; nil for none.
  ///   - headers: Names with values, in order.
  ///   - time: nil means the time of the append.
  public init(
    key: (any RecordBytes)? = nil, value: (any RecordBytes)?,
    headers: KeyValuePairs<String, any RecordBytes> = [:], time: Timestamp? = nil
  ) {
    self.key = key?.recordBytes
    self.value = value?.recordBytes
    self.headers = headers.map {
      RecordHeader(name: $0.key.recordBytes, value: $0.value.recordBytes)
    }
    self.time = time
  }

  /// A record that was read, to be appended again: it keeps its time and gets a new offset.
  public init(_ record: Record) {
    key = record.key
    value = record.value
    headers = record.headers
    time = record.timestamp == -1 ? nil : Timestamp(millisecondsSince1970: record.timestamp)
  }

  /// What it takes in a batch at most, bytes.
  var byteCountMax: Int {
    headers.reduce(40 + (key?.count ?? 0) + (value?.count ?? 0)) {
      $0 + 10 + $1.name.count + ($1.value?.count ?? 0)
    }
  }
}

/// What a key, a value or a header may be given as.
///
/// ```swift
/// struct Price: RecordBytes {
///   var cents: Int
///   var recordBytes: [UInt8] { Array("\(cents)".utf8) }
/// }
/// let record = NewRecord(key: "apple", value: Price(cents: 80))
/// ```
public protocol RecordBytes: Sendable {
  /// The bytes that are stored.
  var recordBytes: [UInt8] { get }
}

extension String: RecordBytes {
  /// The text in UTF-8.
  public var recordBytes: [UInt8] { Array(utf8) }
}

extension Substring: RecordBytes {
  /// The text in UTF-8.
  public var recordBytes: [UInt8] { Array(utf8) }
}

extension [UInt8]: RecordBytes {
  /// The bytes themselves.
  public var recordBytes: [UInt8] { self }
}

extension ArraySlice<UInt8>: RecordBytes {
  /// The bytes themselves.
  public var recordBytes: [UInt8] { Array(self) }
}

extension Record {
  /// The value as text, where it is UTF-8; nil where it is not, or there is none.
  public var text: String? { value.flatMap { String(validating: $0, as: UTF8.self) } }
  /// The key as text, where it is UTF-8; nil where it is not, or there is none.
  public var keyText: String? { key.flatMap { String(validating: $0, as: UTF8.self) } }
  /// The record's time; nil where it has none.
  public var time: Timestamp? {
    timestamp == -1 ? nil : Timestamp(millisecondsSince1970: timestamp)
  }
}
