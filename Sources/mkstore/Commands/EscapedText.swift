/// Texts of the command line in which `\n`, `\t` and `\xXX` represent bytes.
enum EscapedText {
  /// The bytes; a usage failure for an unknown escape.
  static func bytes(_ text: String) throws(CommandFailure) -> [UInt8] {
    do throws(FormatString.Fault) {
      return try FormatString.unescaped(text)
    } catch {
      throw CommandFailure.usage("'\(text)': \(error.text)")
    }
  }
}
