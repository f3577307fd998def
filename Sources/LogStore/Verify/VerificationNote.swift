/// Something a person may want to know that is no damage.
package struct VerificationNote: Sendable, Hashable, CustomStringConvertible {
  /// Path of the file or directory.
  package var file: String
  /// One sentence.
  package var text: String

  /// File and text in one line.
  package var description: String { "\(file): \(text)" }
}
