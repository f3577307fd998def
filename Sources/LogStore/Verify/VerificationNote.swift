/// A note for people about something that is not damage.
///
/// ```swift
/// let report = try LogVerifier().verify(["data"])
/// for note in report.notes { print("\(note.file): \(note.text)") }
/// ```
public struct VerificationNote: Sendable, Hashable, CustomStringConvertible {
  /// Path of the file or directory.
  public var file: String
  /// One sentence.
  public var text: String

  /// File and text in one line.
  public var description: String { "\(file): \(text)" }
}
