/// What is wrong with the input, and the position in its line.
struct InputFault: Error, Equatable, Sendable {
  /// Byte of the line, from 0.
  var position: Int
  /// What was found and what is expected; for people.
  var text: String

  /// Memberwise.
  init(_ position: Int, _ text: String) {
    self.position = position
    self.text = text
  }
}
