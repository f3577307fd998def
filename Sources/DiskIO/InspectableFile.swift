/// A file of a disk that knows what a power cut would leave of it, as the disk in memory does. For
/// checks of invariants: none of these counts as a call, fails, or changes the result of a later
/// call.
package protocol InspectableFile: DiskFile {
  /// Whether a power cut now would leave the bytes of `range` unchanged.
  func isDurable(_ range: Range<Int>) -> Bool

  /// Whether a power cut now would leave the name by which the file was opened.
  var nameDurability: NameDurability { get }

  /// The bytes of `range`; fewer if the file ends before.
  func inspect(_ range: Range<Int>) -> [UInt8]
}

/// What a power cut would do to a file's name.
package enum NameDurability: Sendable, Equatable {
  /// It stays.
  case durable
  /// It may be lost; a sync of the directory keeps it.
  case unsynced
  /// It may be lost, and no sync can keep it: a failed one has marked it clean.
  case lost
}
