package import DiskIO

/// Facts about a store's past that no log contains (`mkstore.session` in the store's directory):
/// since when retention policies count, and the wall time.
///
/// Text with a CRC (docs/format.md#mkstoresession). Read strictly. A store that never had a
/// retention policy has no such file.
package struct StoreSession: Sendable, Equatable {
  /// The file's name.
  package static let name = "mkstore.session"
  /// Largest file that is read.
  package static let bytesMax = 4096

  /// Identifies a period in which no broker had the directory; a policy that was set in another
  /// period does not count.
  var policySession: UInt64
  /// Wall time when the file was last written, milliseconds since 1970 UTC.
  package var wallMs: Int64

  /// Memberwise.
  package init(policySession: UInt64, wallMs: Int64) {
    self.policySession = policySession
    self.wallMs = wallMs
  }

  /// Reads a store's file; nil if there is none.
  package static func read(
    _ disk: any Disk, directory: String
  ) throws(CheckpointError) -> StoreSession? {
    let path = "\(directory)/\(name)"
    guard let bytes = try SmallFile.read(disk, path, limit: bytesMax) else { return nil }
    return try StoreSession(bytes, path: path)
  }

  /// Reads a file's content; `path` is for messages.
  package init(_ bytes: [UInt8], path: String) throws(CheckpointError) {
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    func value(_ key: String) -> String {
      lines.first { $0.hasPrefix(key) }.map { String($0.dropFirst(key.count)) } ?? ""
    }
    policySession = Self.id(value(Self.sessionKey)) ?? 0
    wallMs = Int64(value(Self.wallKey)) ?? -1
    guard bytes == encoded else {
      throw .unreadable(path: path, line: nil, what: "the CRC or another part of it is wrong")
    }
  }

  /// Replaces a store's file, durably.
  package func write(_ disk: any Disk, directory: String) throws(DiskError) {
    try SmallFile.writeAtomically(disk, directory: directory, name: Self.name, encoded)
  }

  /// The file's content.
  package var encoded: [UInt8] {
    CheckedText.encode(
      Array(
        "version: 1\n\(Self.sessionKey)\(Self.text(policySession))\n\(Self.wallKey)\(wallMs)\n"
          .utf8))
  }

  private static let sessionKey = "policy_session: "
  private static let wallKey = "wall_ms: "

  /// An id as stored: 16 hexadecimal digits.
  static func text(_ id: UInt64) -> String {
    let digits = String(id, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// The id in such a text; nil if it has none.
  static func id(_ text: String) -> UInt64? {
    guard text.utf8.count == 16, let id = UInt64(text, radix: 16), self.text(id) == text else {
      return nil
    }
    return id
  }
}
